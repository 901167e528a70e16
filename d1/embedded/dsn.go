package embedded

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/skylite-go/skylite/d1"
)

func init() {
	d1.Register("file", func(dsn string) (d1.Backend, error) {
		cfg, err := ParseDSN(dsn)
		if err != nil {
			return nil, err
		}
		return Open(cfg)
	})
}

// ParseDSN reads a data source name: `file:PATH`, where PATH is relative or
// absolute and may be percent-encoded, or `file::memory:`. Options follow a
// question mark:
//
//	sync=full|normal|off   when a commit is on disk; see [Sync]
//	readers=N              Config.Readers
//	timeout=DURATION       Config.Timeout, such as 5s
//	max_bytes=N            Config.MaxBytes
//
// An unknown option is an error.
func ParseDSN(dsn string) (Config, error) {
	rest, ok := strings.CutPrefix(dsn, "file:")
	if !ok {
		return Config{}, fmt.Errorf("data source name %q does not begin with file:", dsn)
	}
	path, query, _ := strings.Cut(rest, "?")
	if strings.HasPrefix(path, "//") {
		host, local, _ := strings.Cut(path[2:], "/")
		if host != "" && host != "localhost" {
			return Config{}, fmt.Errorf("data source name %q: a file has no host; write file:PATH", dsn)
		}
		path = "/" + local
	}
	path, err := url.PathUnescape(path)
	if err != nil {
		return Config{}, fmt.Errorf("data source name %q: %w", dsn, err)
	}
	if path == "" {
		return Config{}, fmt.Errorf("data source name %q names no file; write file:PATH or file::memory:", dsn)
	}
	if strings.ContainsRune(path, 0) {
		return Config{}, fmt.Errorf("data source name %q: the path holds a NUL byte", dsn)
	}
	cfg := Config{Path: path}
	options, err := url.ParseQuery(query)
	if err != nil {
		return Config{}, fmt.Errorf("data source name %q: %w", dsn, err)
	}
	for key, values := range options {
		if err := cfg.setOption(key, values[len(values)-1]); err != nil {
			return Config{}, fmt.Errorf("data source name %q: %s: %w", dsn, key, err)
		}
	}
	return cfg, nil
}

func (cfg *Config) setOption(key, value string) (err error) {
	switch key {
	case "sync":
		cfg.Sync, err = parseSync(value)
	case "readers":
		cfg.Readers, err = strconv.Atoi(value)
		if err == nil && cfg.Readers < 1 {
			err = fmt.Errorf("%d is too few", cfg.Readers)
		}
	case "timeout":
		cfg.Timeout, err = time.ParseDuration(value)
	case "max_bytes":
		cfg.MaxBytes, err = strconv.ParseInt(value, 10, 64)
	default:
		err = fmt.Errorf("unknown option; there are sync, readers, timeout and max_bytes")
	}
	return err
}

func parseSync(value string) (Sync, error) {
	switch value {
	case "full":
		return SyncFull, nil
	case "normal":
		return SyncNormal, nil
	case "off":
		return SyncOff, nil
	}
	return 0, fmt.Errorf("%q is none of full, normal and off", value)
}

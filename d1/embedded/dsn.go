package embedded

import (
	"errors"
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
//	replicas=N             Config.Replicas
//	lag=DURATION           Config.Lag
//	retention=DURATION     Config.Retention, such as 720h; 0 is none
//
// An unknown option is an error. Errors do not repeat the values.
func ParseDSN(dsn string) (Config, error) {
	name, query, _ := strings.Cut(dsn, "?")
	cfg, err := parseDSN(name, query)
	if err != nil {
		return Config{}, fmt.Errorf("data source name %q: %w", name, err)
	}
	return cfg, nil
}

func parseDSN(name, query string) (cfg Config, err error) {
	path, ok := strings.CutPrefix(name, "file:")
	if !ok {
		return cfg, errors.New("it does not begin with file:")
	}
	if strings.HasPrefix(path, "//") {
		host, local, _ := strings.Cut(path[2:], "/")
		if host != "" && host != "localhost" {
			return cfg, errors.New("a file has no host; write file:PATH")
		}
		path = "/" + local
	}
	if cfg.Path, err = url.PathUnescape(path); err != nil {
		return cfg, err
	}
	switch {
	case cfg.Path == "":
		return cfg, errors.New("it names no file; write file:PATH or file::memory:")
	case strings.ContainsRune(cfg.Path, 0):
		return cfg, errors.New("the path holds a NUL byte")
	}
	options, err := url.ParseQuery(query)
	if err != nil {
		return cfg, errors.New("the options are no URL query")
	}
	for key, values := range options {
		if err := cfg.setOption(key, values[len(values)-1]); err != nil {
			return cfg, err
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
		if err != nil || cfg.Readers < 1 || cfg.Readers > maxReaders {
			err = fmt.Errorf("readers must be a number from 1 to %d", maxReaders)
		}
	case "timeout":
		if cfg.Timeout, err = time.ParseDuration(value); err != nil {
			err = errors.New("timeout must be a duration, such as 5s")
		}
	case "max_bytes":
		cfg.MaxBytes, err = strconv.ParseInt(value, 10, 64)
		if err != nil || cfg.MaxBytes < 1 {
			err = errors.New("max_bytes must be a number above 0")
		}
	case "replicas":
		cfg.Replicas, err = strconv.Atoi(value)
		if err != nil || cfg.Replicas < 0 || cfg.Replicas > maxReplicas {
			err = fmt.Errorf("replicas must be a number from 0 to %d", maxReplicas)
		}
	case "lag":
		if cfg.Lag, err = time.ParseDuration(value); err != nil || cfg.Lag <= 0 {
			err = errors.New("lag must be a duration, such as 500ms")
		}
	case "retention":
		if cfg.Retention, err = time.ParseDuration(value); err != nil || cfg.Retention < 0 {
			err = errors.New("retention must be a duration, such as 720h")
		}
	default:
		err = fmt.Errorf("unknown option %.40q; there are sync, readers, timeout, max_bytes, replicas, lag and retention", key)
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
	return 0, errors.New("sync must be full, normal or off")
}

package ond1

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/kv"
)

func init() {
	for _, scheme := range []string{"file", "d1", "d1+bridge"} {
		kv.Register(scheme, func(dsn string) (kv.Namespace, error) { return open(dsn) })
	}
}

// ParseDSN reads a data source name: that of a database, as package d1 opens it, with options
// of its own behind the question mark:
//
//	namespace=NAME        Config.Namespace
//	table=NAME            Config.Table.Name
//	auto_create=false     Config.Table.NoAutoCreate
//	strict=true           Config.Strict
//
// The rest is the database's name.
func ParseDSN(dsn string) (database string, cfg Config, err error) {
	database, query, _ := strings.Cut(dsn, "?")
	var left []string
	for _, option := range strings.Split(query, "&") {
		name, text, _ := strings.Cut(option, "=")
		value, err := url.QueryUnescape(text)
		if err == nil {
			switch name {
			case "namespace":
				cfg.Namespace = value
			case "table":
				cfg.Table.Name = value
				if value == "" {
					err = errors.New("it is empty")
				}
			case "auto_create":
				var create bool
				create, err = strconv.ParseBool(value)
				cfg.Table.NoAutoCreate = !create
			case "strict":
				cfg.Strict, err = strconv.ParseBool(value)
			default:
				if option != "" {
					left = append(left, option)
				}
			}
		}
		if err != nil { // which may repeat the value, and that may hold a secret
			return "", Config{}, fmt.Errorf("kv: the data source name's option %.40q cannot be read", name)
		}
	}
	if len(left) > 0 {
		database += "?" + strings.Join(left, "&")
	}
	return database, cfg, nil
}

func open(dsn string) (*Namespace, error) {
	database, cfg, err := ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	// The names are checked before a file is made.
	if err := cfg.prepare(); err != nil {
		return nil, err
	}
	db, err := d1.Open(database)
	if err != nil {
		return nil, err
	}
	ns, err := New(db, cfg)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	ns.closer = db
	return ns, nil
}

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/skylite-go/skylite/d1"
)

// dump is a database as SQL in a file, which outlives a command that fails: with the
// bookmark beside it, the next one knows whether it is still what the database has.
type dump struct {
	*os.File
	kept []string // the files' names
}

// remove deletes the files when they are of no more use.
func (d *dump) remove() {
	for _, name := range d.kept {
		os.Remove(name) // what is left is used again or replaced
	}
}

// dumpOf returns the files for what is exported of a database, without opening them.
func dumpOf(from *side, opts d1.ExportOptions) (*dump, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(cache, "skylite", "dumps") // which only the user reads
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	here, err := os.Getwd() // names may be relative to it
	if err != nil {
		return nil, err
	}
	account := ""
	if from.place != nil {
		account = from.place.account
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %t", from.name, here, account, opts.NoData))
	sql := filepath.Join(folder, hex.EncodeToString(sum[:12])+".sql")
	return &dump{kept: []string{sql, sql + ".bookmark"}}, nil
}

// dump exports a database, or finds what was exported before.
func (a *app) dump(ctx context.Context, from *side, opts d1.ExportOptions) (*dump, error) {
	bookmark, err := from.bookmark(ctx)
	if err != nil {
		return nil, fmt.Errorf("take a bookmark of the source: %w", err)
	}
	d, err := dumpOf(from, opts)
	if err != nil {
		return nil, err
	}
	sql := d.kept[0]
	known, _ := os.ReadFile(sql + ".bookmark")
	if bookmark != "" && string(known) == string(bookmark) {
		if d.File, err = os.Open(sql); err == nil {
			fmt.Fprintln(a.stderr, "Using what was exported before: the source has not changed since.")
			return d, nil
		}
	}
	os.Remove(sql + ".bookmark") // before the file is another
	var state d1.Bookmark
	err = writeFile(sql, func(w io.Writer) (err error) {
		state, err = a.export(ctx, from.DB, w, opts)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("export %s: %w", from.name, err)
	}
	if d.File, err = os.Open(sql); err != nil {
		return nil, err
	}
	if state == "" {
		return d, nil
	}
	return d, os.WriteFile(sql+".bookmark", []byte(state), 0o600)
}

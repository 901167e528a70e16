package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/skylite-go/skylite/cmd/skylite/internal/aside"
)

// writeFile writes a file that gets its name when it is whole: whatever was there before
// stays until then.
func writeFile(name string, write func(w io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(name), ".skylite-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // which fails when it has its name
	buffered := bufio.NewWriterSize(file, 1<<20)
	err = write(buffered)
	if err == nil {
		err = errors.Join(buffered.Flush(), file.Sync())
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}

// spool copies standard input to a file that has no name any more, or opens a file.
func (a *app) spool(ctx context.Context, name string) (*os.File, error) {
	if name != "-" {
		return os.Open(name)
	}
	file, err := os.CreateTemp("", "skylite-*.sql")
	if err != nil {
		return nil, err
	}
	os.Remove(file.Name()) // where that cannot be done, the system will
	_, err = aside.Wait(ctx, func() (int64, error) { return io.Copy(file, a.stdin) })
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

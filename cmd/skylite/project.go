package main

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// projects are what init commands write: a name ends in .txt here, so that nothing takes
// it for a part of this program.
//
//go:embed project
var projects embed.FS

// newFiles are files that do not exist yet, by their names in a folder.
type newFiles map[string][]byte

// projectFiles returns the files of a kind of project.
func projectFiles(kind, name string) (newFiles, error) {
	files := newFiles{}
	entries, err := projects.ReadDir("project/" + kind)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		data, err := projects.ReadFile("project/" + kind + "/" + entry.Name())
		if err != nil {
			return nil, err
		}
		target := strings.TrimSuffix(entry.Name(), ".txt")
		if target == "gitignore" {
			target = ".gitignore"
		}
		files[target] = []byte(strings.ReplaceAll(string(data), "{{name}}", name))
	}
	return files, nil
}

// write writes the files into a folder, which is made if need be. If one of them exists,
// none is written.
func (files newFiles) write(dir string) error {
	for name := range files {
		path := filepath.Join(dir, name)
		if _, err := os.Lstat(path); err == nil {
			return withHint(fmt.Errorf("%s exists already; nothing was written", path), "choose another folder")
		}
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for name, data := range files {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
		if err != nil {
			return err
		}
		_, err = f.Write(data)
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// notInWorkers is what a Worker's name must not have.
var notInWorkers = regexp.MustCompile(`[^a-z0-9-]+`)

// projectName makes a Worker's name of a folder's.
func projectName(dir, otherwise string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	name := strings.Trim(notInWorkers.ReplaceAllString(strings.ToLower(filepath.Base(abs)), "-"), "-")
	if name == "" {
		name = otherwise
	}
	return name, nil
}

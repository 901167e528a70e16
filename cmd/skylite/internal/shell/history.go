package shell

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// kept is how many lines of a history are kept.
const kept = 1000

// History is the lines that were typed. Each is added to a file at once, which only its
// owner can read.
type History struct {
	lines []string
	file  *os.File // nil if there is none
}

// OpenHistory reads the history of a file, which is made if it is not there. On an error
// the history works without a file.
func OpenHistory(path string) (*History, error) {
	h := &History{}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return h, fmt.Errorf("read history: %w", err)
	}
	if len(text) > 0 {
		h.lines = strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	}
	if len(h.lines) > 2*kept {
		h.lines = h.lines[len(h.lines)-kept:]
		if err := replace(path, strings.Join(h.lines, "\n")+"\n"); err != nil {
			return h, fmt.Errorf("shorten history: %w", err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return h, fmt.Errorf("keep history: %w", err)
	}
	if h.file, err = os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return h, fmt.Errorf("keep history: %w", err)
	}
	if info, err := h.file.Stat(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		_ = h.file.Chmod(0o600)
	}
	return h, nil
}

// replace replaces a file by one with another text, as a whole.
func replace(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".history-*") // for its owner alone
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// Add adds a line, unless it is empty, begins with a space or is the last one again.
func (h *History) Add(line string) {
	if strings.TrimSpace(line) == "" || line[0] == ' ' || len(h.lines) > 0 && h.lines[len(h.lines)-1] == line {
		return
	}
	h.lines = append(h.lines, line)
	if h.file != nil {
		_, _ = h.file.WriteString(line + "\n") // the shell goes on without
	}
}

// Len returns how many lines there are.
func (h *History) Len() int { return len(h.lines) }

// At returns a line; 0 is the newest.
func (h *History) At(i int) string { return h.lines[len(h.lines)-1-i] }

// Close closes the file.
func (h *History) Close() error {
	if h.file == nil {
		return nil
	}
	return h.file.Close()
}

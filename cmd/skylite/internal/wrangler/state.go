package wrangler

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// State is the D1 databases that wrangler dev and wrangler d1 keep on this machine: a
// folder with an SQLite file for each, which workerd knows as a Durable Object's.
type State struct {
	// Dir is where wrangler persists, its --persist-to.
	Dir string
}

// State returns the state of a configuration's Worker; persistTo is wrangler's flag, or "".
func (c *Config) State(persistTo string) State {
	return State{cmp.Or(persistTo, filepath.Join(filepath.Dir(c.Path), ".wrangler", "state"))}
}

// uniqueKey names the class of the Durable Objects that miniflare keeps databases in.
const uniqueKey = "miniflare-D1DatabaseObject"

func (s State) folder() string { return filepath.Join(s.Dir, "v3", "d1", uniqueKey) }

// LocalID is what wrangler knows a database by locally.
func (db Database) LocalID() string { return cmp.Or(db.PreviewID, db.ID, db.Binding) }

// File returns the path of a database's file, which need not be there.
func (s State) File(db Database) string {
	return filepath.Join(s.folder(), objectID(uniqueKey, db.LocalID())+".sqlite")
}

// objectID derives a Durable Object's identifier from its name as workerd does: a hash of
// the name under the namespace's key, and one of that hash, each cut to 16 bytes.
func objectID(namespace, name string) string {
	key := sha256.Sum256([]byte(namespace))
	sum := func(data []byte) []byte {
		mac := hmac.New(sha256.New, key[:])
		mac.Write(data)
		return mac.Sum(nil)[:16]
	}
	head := sum([]byte(name))
	return hex.EncodeToString(append(head, sum(head)...))
}

// ErrRunning means that a workerd has the state, and it can only be read.
var ErrRunning = errors.New("wrangler is running")

// Guard returns a function that returns an [ErrRunning] when a workerd has the state. It
// must be called before this process opens the database.
//
// A workerd keeps a file open beside the databases for as long as it runs, whether or not
// it has one of them open. An older one has no such file: then it is seen if it has the
// database open now.
func (s State) Guard(db Database) func() error {
	path := filepath.Join(s.folder(), "metadata.sqlite")
	check := func() error { return s.check(path) }
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := s.check(s.File(db)); err != nil {
			return func() error { return err }
		}
	}
	return check
}

func (s State) check(path string) error {
	used, err := inUse(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look whether wrangler is running: %w", err)
	case used:
		return fmt.Errorf("%w on %s, so its databases can only be read", ErrRunning, s.Dir)
	}
	return nil
}

// Make makes the folder that the databases' files are in.
func (s State) Make() error { return os.MkdirAll(s.folder(), 0o777) }

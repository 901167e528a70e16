package embedded

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// createFile makes a new database's file, readable by its owner alone; SQLite itself
// would let the umask decide. It returns the path without symbolic links: SQLite puts
// its other files beside what they lead to.
func createFile(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer f.Close()
	const magic = "SQLite format 3\x00"
	head := make([]byte, len(magic))
	if n, err := io.ReadFull(f, head); err != nil && n > 0 || err == nil && string(head) != magic {
		return "", &os.PathError{Op: "open", Path: path, Err: errors.New("file is not a database")}
	}
	return filepath.EvalSymlinks(path)
}

// openWriter opens the connection that writes, and makes what every database holds.
func (db *DB) openWriter() (*conn, error) {
	path := db.cfg.Path
	if path != "" {
		if err := createShared(path); err != nil {
			return nil, err
		}
	}
	c, err := db.openConn(true)
	if err != nil {
		return nil, err
	}
	if db.recorder != nil {
		err = plainError(db.recorder.attach(c))
	}
	if err == nil {
		err = c.prepareDatabase()
	}
	if err != nil {
		c.discard()
		return nil, err
	}
	if path != "" {
		protectShared(path)
	}
	return c, nil
}

// createShared makes the file of the WAL's index, for whom the database is for; SQLite
// sees to the WAL itself.
func createShared(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path+"-shm", os.O_CREATE|os.O_RDWR, info.Mode().Perm())
	if err != nil {
		return err
	}
	return f.Close()
}

// protectShared does it once more: another process that has closed the database
// meanwhile has removed the file, and SQLite has made it as the umask says.
func protectShared(path string) {
	database, err := os.Stat(path)
	if err != nil {
		return
	}
	want := database.Mode().Perm()
	if shared, err := os.Stat(path + "-shm"); err == nil && shared.Mode().Perm()&^want != 0 {
		_ = os.Chmod(path+"-shm", want)
	}
}

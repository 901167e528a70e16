package wrangler

import (
	"errors"
	"os"
	"syscall"
)

const errorSharingViolation = syscall.Errno(32)

// inUse reports whether a file is open: whether it cannot be opened for oneself alone.
func inUse(path string) (bool, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return false, err
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ, 0, nil, syscall.OPEN_EXISTING, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	switch {
	case errors.Is(err, errorSharingViolation):
		return true, nil
	case err != nil:
		return false, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return false, syscall.CloseHandle(h)
}

//go:build !windows && (!unix || aix || solaris)

package wrangler

import "errors"

// inUse cannot be told here.
func inUse(string) (bool, error) { return false, errors.ErrUnsupported }

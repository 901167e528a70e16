package sqltext

import "io"

// NewScannerSize is NewScanner, reading as many bytes at once as a test wants.
func NewScannerSize(script io.Reader, chunk int) *Scanner {
	s := NewScanner(script, 0)
	s.buf = make([]byte, chunk)
	return s
}

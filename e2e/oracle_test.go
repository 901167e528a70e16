package e2e

import (
	"os"
	"testing"
)

// TestRecordedIsWhatWorkerdSays asks workerd a part of the corpus once more, or all of it
// if SKYLITE_RECORDED is "all": what the other tests compare with is what it still answers.
func TestRecordedIsWhatWorkerdSays(t *testing.T) {
	needNPM(t)
	t.Parallel()
	every := "5"
	if os.Getenv("SKYLITE_RECORDED") == "all" {
		every = "1"
	}
	contains(t, serveFiles(t).client(t).node(t, "oracle/record.mjs", "--check", "--every", every).ok(t), ", 0 differ")
}

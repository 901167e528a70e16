package e2e

import "testing"

// TestRecordedIsWhatWorkerdSays asks workerd the whole corpus once more: what the other
// tests compare with is what it still answers.
func TestRecordedIsWhatWorkerdSays(t *testing.T) {
	needNPM(t)
	t.Parallel()
	c := serveFiles(t).client(t)
	contains(t, c.node(t, "oracle/record.mjs", "--check").ok(t), ", 0 differ")
}

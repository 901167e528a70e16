package d1test_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1test"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	var closed *d1.DB
	t.Run("use", func(t *testing.T) {
		db := d1test.Open(t, "CREATE TABLE t (a)", "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)")
		if got, err := d1.First[int](t.Context(), db, "SELECT sum(a) FROM t"); err != nil || got != 3 {
			t.Errorf("got %d, %v", got, err)
		}
		if other := d1test.Open(t); other.Backend() == db.Backend() {
			t.Error("two tests share a database")
		}
		closed = db
	})
	if err := closed.Ping(t.Context()); !errors.Is(err, d1.ErrClosed) {
		t.Errorf("after the test: error %v", err)
	}
}

func TestOpenFailure(t *testing.T) {
	t.Parallel()
	fake := &failing{TB: t}
	func() {
		defer func() { _ = recover() }()
		d1test.Open(fake, "PUT")
	}()
	if !strings.Contains(fake.message, "syntax error") {
		t.Errorf("message %q", fake.message)
	}
}

// failing is a test that notes why it was ended.
type failing struct {
	testing.TB
	message string
}

func (f *failing) Fatalf(_ string, args ...any) {
	f.message = args[0].(error).Error()
	panic("ended")
}

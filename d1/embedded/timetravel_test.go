package embedded_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

func TestTravelSmoke(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	back := open(t, embedded.Config{Path: path, Retention: time.Hour})
	db := d1.New(back)
	must(t, db, "CREATE TABLE t (a)")
	var marks []d1.Bookmark
	for i := range 20 {
		b, err := back.BookmarkAt(t.Context(), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		marks = append(marks, b)
		must(t, db, fmt.Sprintf("INSERT INTO t VALUES (%d)", i))
	}
	for i, m := range marks {
		r, err := back.Restore(t.Context(), m)
		if err != nil {
			t.Fatal(i, err)
		}
		if got := column(t, db, "SELECT count(*) FROM t"); got != fmt.Sprint(i) {
			t.Errorf("%d: %s %v", i, got, r)
		}
	}
}

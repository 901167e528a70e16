package d1test_test

import (
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1test"
)

func ExampleOpen() {
	_ = func(t *testing.T) { // TestUsers
		db := d1test.Open(t, "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)")
		if _, err := db.Run(t.Context(), "INSERT INTO users (name) VALUES (?)", "Ada"); err != nil {
			t.Fatal(err)
		}
		name, err := d1.First[string](t.Context(), db, "SELECT name FROM users")
		if err != nil || name != "Ada" {
			t.Errorf("got %q, %v", name, err)
		}
	}
}

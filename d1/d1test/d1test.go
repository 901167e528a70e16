// Package d1test has a D1 database for tests, in one line, and the tests that every
// [d1.Backend] passes.
//
//	func TestUsers(t *testing.T) {
//		db := d1test.Open(t)
//		…
//	}
package d1test

import (
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

// Open returns a new, empty database in memory, under all of D1's rules, and closes it
// when the test ends. Each script is run first, to make a schema for instance.
func Open(t testing.TB, scripts ...string) *d1.DB {
	t.Helper()
	backend, err := embedded.Open(embedded.Config{})
	if err != nil {
		t.Fatalf("d1test: %v", err)
	}
	db := d1.New(backend)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("d1test: close: %v", err)
		}
	})
	for _, script := range scripts {
		if _, err := db.Exec(t.Context(), script); err != nil {
			t.Fatalf("d1test: %v", err)
		}
	}
	return db
}

// Options say what a place cannot do. The zero value is a place that can do all.
type Options struct {
	// JSON says that results cross JSON made by JavaScript: a whole REAL comes back
	// as an INTEGER, an INTEGER beyond 2^53 as a [d1.InexactError], and a REAL that is
	// infinite as NULL.
	JSON bool
	// Uninterruptible says that a statement that runs cannot be stopped: the end of its
	// context ends only the waiting for it.
	Uninterruptible bool
	// VagueCommit says that what fails at the end of a request, a deferred foreign key,
	// fails without SQLite's code, as in workerd.
	VagueCommit bool
}

// Run runs the conformance suite. open returns a Backend on a new, empty database, and
// sees to its closing.
func Run(t *testing.T, opts Options, open func(t *testing.T) d1.Backend) {
	for _, part := range []struct {
		name string
		run  func(t *testing.T, s suite)
	}{
		{"Batch", testBatch},
		{"Exec", testExec},
		{"Meta", testMeta},
		{"Columns", testColumns},
		{"Arguments", testArguments},
		{"Integers", testIntegers},
		{"Storage", testStorage},
		{"Times", testTimes},
		{"Results", testResults},
		{"Parameters", testParameters},
		{"Errors", testErrors},
		{"Refusals", testRefusals},
		{"Limits", testLimits},
		{"Rules", testRules},
		{"Contexts", testContexts},
		{"Streams", testStreams},
		{"Concurrency", testConcurrency},
		{"Sessions", testSessions},
		{"Transactions", testTransactions},
		{"Close", testClose},
	} {
		t.Run(part.name, func(t *testing.T) {
			part.run(t, suite{opts: opts, open: open})
		})
	}
}

type suite struct {
	opts Options
	open func(t *testing.T) d1.Backend
}

// db opens a new database and runs scripts in it.
func (s suite) db(t *testing.T, scripts ...string) *d1.DB {
	t.Helper()
	db := d1.New(s.open(t))
	for _, script := range scripts {
		if _, err := db.Exec(t.Context(), script); err != nil {
			t.Fatalf("%s: %v", script, err)
		}
	}
	return db
}

const colours = `CREATE TABLE colours (id INTEGER PRIMARY KEY, name TEXT NOT NULL, rgb INTEGER NOT NULL);
INSERT INTO colours VALUES (1, 'red', 16711680), (2, 'green', 65280), (3, 'blue', 255)`

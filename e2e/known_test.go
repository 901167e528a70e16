package e2e

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// known says why answers may differ from workerd's, by file and name of a case, and the
// number of the request where it is only one. A difference that is no more is a fault too.
type known struct {
	reasons []map[string]string
	mu      sync.Mutex
	met     map[string]bool
}

func newKnown(t *testing.T, reasons ...map[string]string) *known {
	k := &known{reasons: reasons, met: make(map[string]bool)}
	t.Cleanup(func() { k.checkMet(t) })
	return k
}

// reason returns why a request of a case may differ, or "".
func (k *known) reason(file, name string, request int) string {
	for _, key := range []string{fmt.Sprintf("%s/%s#%d", file, name, request), file + "/" + name} {
		for _, reasons := range k.reasons {
			if why := reasons[key]; why != "" {
				k.mu.Lock()
				k.met[key] = true
				k.mu.Unlock()
				return why
			}
		}
	}
	return ""
}

func (k *known) checkMet(t *testing.T) {
	if t.Failed() || partial() {
		return
	}
	for _, reasons := range k.reasons {
		for key := range reasons {
			if !k.met[key] {
				t.Errorf("%s differs no more: take it out of known_test.go", key)
			}
		}
	}
}

// engineDifferences are those of the engine itself, so of the database and of the server.
var engineDifferences = map[string]string{
	"generated-pragmas/flag ignore_check_constraints":  settingsEnd,
	"generated-pragmas/flag legacy_alter_table":        settingsEnd,
	"generated-pragmas/flag recursive_triggers":        settingsEnd,
	"generated-pragmas/flag reverse_unordered_selects": settingsEnd,
	"schema/recursive triggers#6":                      settingsEnd,
	"batches/pragmas within a batch":                   settingsEnd,

	"generated-parameters/SELECT ? LIKE '1%'": likeBlobs,
	"generated-parameters/SELECT ? GLOB '1*'": likeBlobs,
	"generated-parameters/SELECT '1' LIKE ?":  likeBlobs,
	"generated-texts/blobs: LIKE \"%\"":       likeBlobs,
	"generated-texts/blobs: LIKE \"a*\"":      likeBlobs,
	"generated-texts/blobs: LIKE \"_b_\"":     likeBlobs,
	"generated-texts/blobs: LIKE \"ABC\"":     likeBlobs,
	"generated-texts/blobs: GLOB \"%\"":       likeBlobs,
	"generated-texts/blobs: GLOB \"a*\"":      likeBlobs,
	"generated-texts/blobs: GLOB \"_b_\"":     likeBlobs,
	"generated-texts/blobs: GLOB \"ABC\"":     likeBlobs,
	"queries/LIKE and GLOB":                   likeBlobs,

	"generated-limits/printf precision 100001#1": "this SQLite is compiled without a limit on printf's precision",

	"generated-functions/acos(0.5)#1":                                        mathLibrary,
	"generated-functions/tan(1)#1":                                           mathLibrary,
	"generated-numbers/exp of borders":                                       mathLibrary,
	"generated-numbers/log2 of borders":                                      mathLibrary,
	"generated-numbers/sin of borders":                                       mathLibrary,
	"generated-numbers/atan2 of two borders":                                 mathLibrary,
	"generated-numbers/ln of borders":                                        "the logarithm of a subnormal number: Go's, on amd64, takes it for the smallest normal one",
	"generated-places/changes()":                                             "changes() in a CHECK: compiling an INSERT resets it here",
	"generated-places/soundex(a)":                                            "D1 lets a DEFAULT name soundex, which it has not, and fails where it is used",
	"generated-constraints/RAISE with the text 'constraint failed: of mine'": "the engine's package takes these words away in front of a text",

	"generated-statements/view: DELETE FROM v LIMIT 1":                   limitedView,
	"generated-statements/view: DELETE FROM v ORDER BY id DESC LIMIT 2":  limitedView,
	"generated-statements/view: UPDATE v SET a = 1 LIMIT 1":              limitedView,
	"generated-statements/limit: UPDATE t SET a = 1 LIMIT 1 ORDER BY id": limitSyntax,
	"generated-statements/limit: UPDATE t SET a = 1 LIMIT 1 OFFSET":      limitSyntax,
	"generated-statements/UPDATE FROM with LIMIT and parameters":         "a parameter in RETURNING before a LIMIT is numbered here, and so is the column named after it",

	"schema/a generated column added with a function that D1 lacks": "some functions are in this SQLite, where they may not be called",
}

const (
	manyStatements = "the binding runs several statements and gives the last result; a Backend takes one, and the service answers each"
	settingsEnd    = "a PRAGMA lasts for one request, as in the service; workerd alone keeps it"
	likeBlobs      = "this SQLite is compiled so that LIKE and GLOB match no BLOB; functions in their place would take the LIKE optimisation away"
	limitedView    = "UPDATE and DELETE with LIMIT on a view are refused: a view's rows have no key to choose them by"
	limitSyntax    = "a syntax error either way, in other words: this SQLite does not know LIMIT there"
	mathLibrary    = "another C library: the last digit differs"
)

// embeddedDifferences are those of the embedded database alone.
var embeddedDifferences = map[string]string{
	"errors/nothing to run":                               "D1's binding drops empty elements of a batch; the service refuses them",
	"batches/several statements in an element of a batch": manyStatements,
	"parameters/parameters with several statements":       manyStatements,
	"refused/transactions spelled otherwise":              manyStatements,
	"batches/one statement and what may follow it":        "a Backend accepts a comment after the statement; the server refuses it as D1 does",
	"generated-pragmas/data_version":                      "a database in memory has no journal and counts otherwise",
	"values/a lone surrogate as a parameter":              "a Go string holds no lone surrogate; U+FFFD stands for it",
}

// serverDifferences are those of the server alone.
var serverDifferences = map[string]string{
	"errors/nothing to run#13":                            "D1's binding drops empty elements of a batch; the service refuses them",
	"batches/several statements in an element of a batch": manyStatements,
	"parameters/parameters with several statements":       "the binding takes parameters for the last of several statements; the service refuses them",
	"generated-pragmas/data_version":                      "it counts what other connections wrote, and how many there are differs",
	"values/a lone surrogate as a parameter#1":            "a Go string holds no lone surrogate; U+FFFD stands for it",
	"values/bytes outside a byte in a blob parameter":     "the binding keeps the low eight bits; the server refuses what is no byte",
}

// partial reports whether -run chose some cases only.
func partial() bool {
	run := flag.Lookup("test.run")
	return run != nil && strings.Contains(run.Value.String(), "/")
}

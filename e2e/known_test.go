package e2e

// knownDifferences says why a case may differ from what workerd answered, by file
// and name.
var knownDifferences = map[string]string{
	"errors/nothing to run":                               "D1's binding drops empty elements of a batch; the service refuses them",
	"batches/several statements in an element of a batch": manyStatements,
	"parameters/parameters with several statements":       manyStatements,
	"refused/transactions spelled otherwise":              manyStatements,
	"batches/one statement and what may follow it":        "a Backend accepts a comment after the statement; the server refuses it as D1 does",

	"generated-pragmas/flag ignore_check_constraints":  settingsEnd,
	"generated-pragmas/flag legacy_alter_table":        settingsEnd,
	"generated-pragmas/flag recursive_triggers":        settingsEnd,
	"generated-pragmas/flag reverse_unordered_selects": settingsEnd,
	"schema/recursive triggers":                        settingsEnd,
	"batches/pragmas within a batch":                   settingsEnd,

	"generated-pragmas/data_version":             "a database in memory has no journal and counts otherwise",
	"generated-pragmas/other default_cache_size": "this SQLite is compiled without deprecated pragmas",

	"generated-parameters/SELECT ? LIKE '1%'": likeBlobs,
	"generated-parameters/SELECT ? GLOB '1*'": likeBlobs,
	"generated-parameters/SELECT '1' LIKE ?":  likeBlobs,
	"queries/LIKE and GLOB":                   likeBlobs,

	"generated-parameters/SELECT substr('abcdef', ?)":                "a position far outside of 32 bits is cut off otherwise",
	"generated-limits/printf precision 100001":                       "this SQLite is compiled without a limit on printf's precision",
	"refused/functions the authorizer refuses, where they may stand": refusedLater,
	"queries/EXPLAIN QUERY PLAN":                                     "a cost in a column that SQLite documents as not for use",

	"generated-functions/acos(0.5)": mathLibrary,
	"generated-functions/tan(1)":    mathLibrary,

	"values/a lone surrogate as a parameter": "a Go string holds no lone surrogate; U+FFFD stands for it",
	"values/invalid UTF-8":                   "texts are compared as bytes here; the server writes them as JavaScript does",
}

const (
	manyStatements = "the binding runs several statements and gives the last result; a Backend takes one, and the service answers each"
	settingsEnd    = "a PRAGMA lasts for one request, as in the service; workerd alone keeps it"
	likeBlobs      = "this SQLite is compiled so that LIKE and GLOB match no BLOB"
	refusedLater   = "workerd also refuses a function in a DEFAULT when the table is made, and not only when the default is used"
	mathLibrary    = "another C library: the last digit differs"
)

// serviceDifferences says why the server may differ from what workerd answered, by file
// and name, and by the number of the request where it is only one.
var serviceDifferences = map[string]string{
	"errors/nothing to run#13":                            "D1's binding drops empty elements of a batch; the service refuses them",
	"batches/several statements in an element of a batch": manyStatements,
	"parameters/parameters with several statements":       "the binding takes parameters for the last of several statements; the service refuses them",

	"generated-pragmas/flag ignore_check_constraints":  settingsEnd,
	"generated-pragmas/flag legacy_alter_table":        settingsEnd,
	"generated-pragmas/flag recursive_triggers":        settingsEnd,
	"generated-pragmas/flag reverse_unordered_selects": settingsEnd,
	"schema/recursive triggers#6":                      settingsEnd,
	"batches/pragmas within a batch":                   settingsEnd,

	"generated-pragmas/data_version":               "it counts what other connections wrote, and how many there are differs",
	"generated-pragmas/other default_cache_size#5": "this SQLite is compiled without deprecated pragmas",

	"generated-parameters/SELECT ? LIKE '1%'#29": likeBlobs,
	"generated-parameters/SELECT ? GLOB '1*'#29": likeBlobs,
	"generated-parameters/SELECT '1' LIKE ?#29":  likeBlobs,
	"queries/LIKE and GLOB#3":                    likeBlobs,

	"generated-parameters/SELECT substr('abcdef', ?)#13":             "a position far outside of 32 bits is cut off otherwise",
	"generated-limits/printf precision 100001#1":                     "this SQLite is compiled without a limit on printf's precision",
	"refused/functions the authorizer refuses, where they may stand": refusedLater,
	"queries/EXPLAIN QUERY PLAN#13":                                  "a cost in a column that SQLite documents as not for use",

	"generated-functions/acos(0.5)#1": mathLibrary,
	"generated-functions/tan(1)#1":    mathLibrary,

	"values/a lone surrogate as a parameter#1":        "a Go string holds no lone surrogate; U+FFFD stands for it",
	"values/bytes outside a byte in a blob parameter": "the binding keeps the low eight bits; the server refuses what is no byte",
}

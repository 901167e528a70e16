// Package sqltext reads SQL text the way SQLite does, without running it.
//
// [Split] cuts a script into statements and says of each what it is: whether
// it reads or writes, whether it returns rows, which parameters it has. [Parse]
// does the same for text that must hold exactly one statement, and [Cache]
// remembers the answers. [RewriteLimit] turns UPDATE and DELETE with ORDER BY
// or LIMIT, which D1 knows, into statements every SQLite knows.
//
// # Agreement with SQLite
//
// The tokens are those of SQLite's own tokenizer, and the cuts are those of
// sqlite3_prepare: for every script that SQLite accepts, the pieces are the
// statements it would see. For scripts that SQLite refuses the pieces are a
// best guess, and at least one of them is a statement that SQLite refuses.
// The tests compare all of this with the real SQLite.
//
// The package is not a parser: it does not know whether a statement is
// correct, nor which tables it touches. It must therefore not be the thing
// that decides what a statement may do; that is the authorizer's part.
//
// # NUL bytes
//
// To SQLite a NUL byte is the end of the text. A statement that came with one
// would be cut short in silence, so a NUL is an illegal token here: callers see
// it in [Statement.Fault] and can refuse.
//
// All functions accept any text, valid UTF-8 or not, and never panic.
package sqltext

// Kind is the class of a statement.
type Kind uint8

// The kinds of statement.
const (
	Empty       Kind = iota // only white space and comments
	Read                    // SELECT, VALUES, WITH … SELECT, EXPLAIN of anything
	Write                   // INSERT, REPLACE, UPDATE, DELETE, also after WITH
	Schema                  // CREATE, ALTER, DROP, REINDEX, ANALYZE, VACUUM
	Pragma                  // PRAGMA
	Transaction             // BEGIN, COMMIT, END, ROLLBACK, SAVEPOINT, RELEASE
	Attach                  // ATTACH, DETACH
	Unknown                 // anything else; SQLite will refuse it
)

var kindNames = [...]string{
	"empty", "read", "write", "schema", "pragma", "transaction", "attach", "unknown",
}

// String returns a lower-case name for the kind.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "invalid"
}

// A Statement is one piece of a script.
type Statement struct {
	// Text is the piece between two semicolons, both left out. It keeps its
	// white space and comments, because the offsets in SQLite's errors count
	// them.
	Text string

	// Start and End are the byte range of Text in the script.
	Start, End int

	// Terminated says that a semicolon follows Text.
	Terminated bool

	// Kind is what sort of statement it is.
	Kind Kind

	// Verb is the keyword that says what the statement does, in upper case:
	// "INSERT" for INSERT, for WITH … INSERT and for EXPLAIN INSERT alike. It
	// is "WITH" or "EXPLAIN" if nothing follows those, and empty if the
	// statement does not begin with a word.
	Verb string

	// VerbStart is where the verb begins in Text.
	VerbStart int

	// Explain says that the statement begins with EXPLAIN, so that Verb is
	// not carried out. Mind that SQLite obeys some PRAGMAs while it compiles
	// them, and those even behind EXPLAIN.
	Explain bool

	// ReturnsRows says that the statement has result columns: SELECT, VALUES,
	// EXPLAIN, a PRAGMA that answers, or a Write with RETURNING.
	ReturnsRows bool

	// Params are the parameters in the order of the text, one for each
	// occurrence. The slice may be shared: do not change it.
	Params []Param

	// Fault is the first thing in Text that SQLite cannot read.
	Fault Fault
}

// FaultKind says what is wrong with a piece of text.
type FaultKind uint8

// The kinds of fault. NoFault is the zero value. An open comment is no error
// to SQLite, which takes it to reach to the end of the text; it is reported
// because it is seldom meant, and only if there is no other fault.
const (
	NoFault        FaultKind = iota
	NULByte                  // a NUL byte, where SQLite would stop reading
	OpenQuote                // a string or quoted identifier without its end
	OpenComment              // a /* comment without its end; SQLite allows it
	BadToken                 // an unrecognized token
	BadParamNumber           // ?NNN outside 1 to MaxParam
)

var faultTexts = [...]string{
	"no fault", "NUL byte", "unterminated quote", "unterminated comment",
	"unrecognized token", "variable number out of range",
}

// String returns a short description.
func (k FaultKind) String() string {
	if int(k) < len(faultTexts) {
		return faultTexts[k]
	}
	return "unknown fault"
}

// A Fault is something in a statement that SQLite cannot read.
type Fault struct {
	Kind       FaultKind
	Start, End int // byte range in Statement.Text
}

// Refused reports whether SQLite is sure to refuse the text, or would read
// only a part of it. It is true for all faults but [OpenComment].
func (f Fault) Refused() bool { return f.Kind != NoFault && f.Kind != OpenComment }

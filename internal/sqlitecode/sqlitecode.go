// Package sqlitecode names SQLite's result codes and reads the error texts
// that D1 builds from them.
//
// D1's text is `<message>[ at offset N]: SQLITE_X[ (extended: SQLITE_X_Y)]`,
// as workerd's dbErrorMessage writes it.
package sqlitecode

import (
	"strconv"
	"strings"
)

// Result codes that Skylite itself decides on.
const (
	Error      = 1
	Perm       = 3
	Abort      = 4
	Busy       = 5
	Locked     = 6
	Interrupt  = 9
	Full       = 13
	TooBig     = 18
	Constraint = 19
	Mismatch   = 20
	Auth       = 23
	NotADB     = 26
)

// names holds every code of https://sqlite.org/rescode.html.
var names = map[int]string{
	1: "SQLITE_ERROR", 2: "SQLITE_INTERNAL", 3: "SQLITE_PERM", 4: "SQLITE_ABORT",
	5: "SQLITE_BUSY", 6: "SQLITE_LOCKED", 7: "SQLITE_NOMEM", 8: "SQLITE_READONLY",
	9: "SQLITE_INTERRUPT", 10: "SQLITE_IOERR", 11: "SQLITE_CORRUPT", 12: "SQLITE_NOTFOUND",
	13: "SQLITE_FULL", 14: "SQLITE_CANTOPEN", 15: "SQLITE_PROTOCOL", 16: "SQLITE_EMPTY",
	17: "SQLITE_SCHEMA", 18: "SQLITE_TOOBIG", 19: "SQLITE_CONSTRAINT", 20: "SQLITE_MISMATCH",
	21: "SQLITE_MISUSE", 22: "SQLITE_NOLFS", 23: "SQLITE_AUTH", 24: "SQLITE_FORMAT",
	25: "SQLITE_RANGE", 26: "SQLITE_NOTADB", 27: "SQLITE_NOTICE", 28: "SQLITE_WARNING",

	257: "SQLITE_ERROR_MISSING_COLLSEQ", 513: "SQLITE_ERROR_RETRY", 769: "SQLITE_ERROR_SNAPSHOT",
	516: "SQLITE_ABORT_ROLLBACK",
	261: "SQLITE_BUSY_RECOVERY", 517: "SQLITE_BUSY_SNAPSHOT", 773: "SQLITE_BUSY_TIMEOUT",
	262: "SQLITE_LOCKED_SHAREDCACHE", 518: "SQLITE_LOCKED_VTAB",
	264: "SQLITE_READONLY_RECOVERY", 520: "SQLITE_READONLY_CANTLOCK", 776: "SQLITE_READONLY_ROLLBACK",
	1032: "SQLITE_READONLY_DBMOVED", 1288: "SQLITE_READONLY_CANTINIT", 1544: "SQLITE_READONLY_DIRECTORY",
	266: "SQLITE_IOERR_READ", 522: "SQLITE_IOERR_SHORT_READ", 778: "SQLITE_IOERR_WRITE",
	1034: "SQLITE_IOERR_FSYNC", 1290: "SQLITE_IOERR_DIR_FSYNC", 1546: "SQLITE_IOERR_TRUNCATE",
	1802: "SQLITE_IOERR_FSTAT", 2058: "SQLITE_IOERR_UNLOCK", 2314: "SQLITE_IOERR_RDLOCK",
	2570: "SQLITE_IOERR_DELETE", 3082: "SQLITE_IOERR_NOMEM", 3338: "SQLITE_IOERR_ACCESS",
	3594: "SQLITE_IOERR_CHECKRESERVEDLOCK", 3850: "SQLITE_IOERR_LOCK", 4106: "SQLITE_IOERR_CLOSE",
	4618: "SQLITE_IOERR_SHMOPEN", 4874: "SQLITE_IOERR_SHMSIZE", 5130: "SQLITE_IOERR_SHMLOCK",
	5386: "SQLITE_IOERR_SHMMAP", 5642: "SQLITE_IOERR_SEEK", 6154: "SQLITE_IOERR_MMAP",
	267: "SQLITE_CORRUPT_VTAB", 523: "SQLITE_CORRUPT_SEQUENCE", 779: "SQLITE_CORRUPT_INDEX",
	270: "SQLITE_CANTOPEN_NOTEMPDIR", 526: "SQLITE_CANTOPEN_ISDIR", 782: "SQLITE_CANTOPEN_FULLPATH",
	1038: "SQLITE_CANTOPEN_CONVPATH", 1550: "SQLITE_CANTOPEN_SYMLINK",
	275: "SQLITE_CONSTRAINT_CHECK", 531: "SQLITE_CONSTRAINT_COMMITHOOK",
	787: "SQLITE_CONSTRAINT_FOREIGNKEY", 1043: "SQLITE_CONSTRAINT_FUNCTION",
	1299: "SQLITE_CONSTRAINT_NOTNULL", 1555: "SQLITE_CONSTRAINT_PRIMARYKEY",
	1811: "SQLITE_CONSTRAINT_TRIGGER", 2067: "SQLITE_CONSTRAINT_UNIQUE",
	2323: "SQLITE_CONSTRAINT_VTAB", 2579: "SQLITE_CONSTRAINT_ROWID",
	2835: "SQLITE_CONSTRAINT_PINNED", 3091: "SQLITE_CONSTRAINT_DATATYPE",
	279: "SQLITE_AUTH_USER",
}

var codes = func() map[string]int {
	m := make(map[string]int, len(names))
	for code, name := range names {
		m[name] = code
	}
	return m
}()

// Name returns the name of a primary or extended code, such as
// "SQLITE_CONSTRAINT_UNIQUE". An unknown code gives "SQLITE_UNKNOWN_<n>".
func Name(code int) string {
	if name, ok := names[code]; ok {
		return name
	}
	return "SQLITE_UNKNOWN_" + strconv.Itoa(code)
}

// Primary returns the primary code of an extended code.
func Primary(extended int) int { return extended & 0xff }

// Format builds D1's error text. A negative offset is left out, and so is an
// extended code that says no more than its primary.
func Format(message string, offset, extended int) string {
	var b strings.Builder
	b.WriteString(message)
	if offset >= 0 {
		b.WriteString(" at offset ")
		b.WriteString(strconv.Itoa(offset))
	}
	b.WriteString(": ")
	primary := Primary(extended)
	b.WriteString(Name(primary))
	if extended != primary {
		b.WriteString(" (extended: ")
		b.WriteString(Name(extended))
		b.WriteByte(')')
	}
	return b.String()
}

// Parse reads an error text made by Format. It returns the bare message, the
// offset (-1 where there is none) and the extended code (0 where the text names
// no code that SQLite has; message is then the whole text).
func Parse(text string) (message string, offset, extended int) {
	head, name := text, ""
	if i := strings.LastIndex(head, " (extended: SQLITE_"); i >= 0 && strings.HasSuffix(head, ")") {
		head, name = head[:i], head[i+len(" (extended: "):len(head)-1]
	}
	i := strings.LastIndex(head, ": SQLITE_")
	if i < 0 {
		return text, -1, 0
	}
	if name == "" {
		name = head[i+2:]
	}
	code, ok := codes[name]
	if !ok {
		return text, -1, 0
	}
	message, offset = cutOffset(head[:i])
	return message, offset, code
}

// Relocate replaces the offset in an error text made by Format. A negative offset
// takes it out. Other texts stay as they are.
func Relocate(text string, offset int) string {
	message, _, code := Parse(text)
	if code == 0 {
		return text
	}
	return Format(message, offset, code)
}

func cutOffset(message string) (string, int) {
	const marker = " at offset "
	i := strings.LastIndex(message, marker)
	if i < 0 {
		return message, -1
	}
	n, err := strconv.Atoi(message[i+len(marker):])
	if err != nil || n < 0 {
		return message, -1
	}
	return message[:i], n
}

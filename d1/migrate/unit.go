package migrate

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// unit is a migration as the runner sees it.
type unit struct {
	version int64
	name    string
	text    string // as it was read
	hash    string // SHA-256 of text, in lower-case hexadecimal
	// otherHashes are those of the text with other ends of lines.
	otherHashes [2]string
	up          []statement
	down        []statement
	hasDown     bool
	downText    string

	// What the ledgers know it by. A unit can be recorded in wrangler's if it has a path,
	// and in drizzle's if it has an identity there.
	path    string // below wrangler's folder
	drizzle drizzleID
	when    int64  // milliseconds: when drizzle-kit made it
	tag     string // drizzle 1.x: its folder; by hash: what the name column holds
}

// drizzleID says which columns of __drizzle_migrations a migration is known by.
type drizzleID uint8

const (
	notDrizzle drizzleID = iota
	byHash               // lunora, Values and Files
	byWhen               // drizzle 0.x
	byTag                // drizzle 1.x
)

// statement is one statement of a migration. Its Text is what is sent, and its Start is
// where that begins in the migration's text.
type statement struct{ sqltext.Statement }

func (u *unit) record() Record { return Record{u.version, u.name} }

// String names the migration in messages.
func (u *unit) String() string { return u.record().String() }

// String names the migration in messages.
func (r Record) String() string { return fmt.Sprintf("%q (version %d)", r.Name, r.Version) }

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// hasHash reports whether a recorded hash is that of the migration, be it checked out
// with other ends of lines.
func (u *unit) hasHash(hash string) bool {
	return hash == u.hash || u.otherHashes[0] != "" && (hash == u.otherHashes[0] || hash == u.otherHashes[1])
}

// hashesOf returns the hashes of a text with the ends of lines of Unix and of Windows, if
// it has lines.
func hashesOf(text string) (hashes [2]string) {
	if !strings.Contains(text, "\n") {
		return hashes
	}
	unix := strings.ReplaceAll(text, "\r\n", "\n")
	return [2]string{hashOf(unix), hashOf(strings.ReplaceAll(unix, "\n", "\r\n"))}
}

// newUnit reads the text of a migration that may have several statements.
func newUnit(r Record, text string) (*unit, error) {
	u := &unit{version: r.Version, name: r.Name, text: text, hash: hashOf(text), otherHashes: hashesOf(text)}
	// One without SQL may have been recorded long ago; it is refused where it is to run.
	var err error
	if u.up, err = statements(text); err != nil && err != errEmpty {
		return nil, fmt.Errorf("migration %s: %w", r, err)
	}
	return u, nil
}

// newSingle reads the text of a migration that must have one statement.
func newSingle(r Record, text string) (*unit, error) {
	u, err := newUnit(r, text)
	if err != nil {
		return nil, err
	}
	switch _, err := sqltext.Parse(strings.Trim(text, jsSpace)); {
	case errors.Is(err, sqltext.ErrMany):
		return nil, fmt.Errorf("migration %s contains more than one SQL statement; give each its own migration, "+
			"or use a folder of wrangler's form, where a file is one transaction", r)
	case len(u.up) == 0:
		return nil, fmt.Errorf("migration %s: %w", r, errEmpty)
	}
	return u, nil
}

func (u *unit) setDown(text string) error {
	var err error
	if u.down, err = statements(text); err != nil && err != errEmpty {
		return fmt.Errorf("down migration of %s: %w", u, err)
	}
	u.hasDown, u.downText = len(u.down) > 0, text // an empty one is still to be written
	return nil
}

var (
	errEmpty = errors.New("it holds no SQL, or only comments")
	errUTF8  = errors.New("its text is not valid UTF-8")
)

func statements(text string) ([]statement, error) {
	if !utf8.ValidString(text) {
		return nil, errUTF8
	}
	var all []statement
	for _, st := range sqltext.Statements(text) {
		// drizzle and lunora trim as JavaScript does: more than SQLite takes for white space.
		left := strings.TrimLeft(st.Text, jsSpace)
		trimmed, err := sqltext.Parse(strings.TrimRight(left, jsSpace))
		if err != nil {
			continue // nothing else was there
		}
		trimmed.Start = st.Start + len(st.Text) - len(left)
		trimmed.End = trimmed.Start + len(trimmed.Text)
		all = append(all, statement{trimmed})
	}
	if len(all) == 0 {
		return nil, errEmpty
	}
	return all, nil
}

const jsSpace = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a" +
	"\u2028\u2029\u202f\u205f\u3000\ufeff"

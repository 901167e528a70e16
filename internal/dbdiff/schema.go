package dbdiff

import (
	"strings"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// Change is an object that two databases do not have alike.
type Change struct {
	Type, Name string
	// Before and After are its SQL in the first database and in the second, or "" where
	// it is not.
	Before, After string
}

// Compare returns the objects in which the second database differs from the first: those
// that are gone or changed in the order of the first, and then those that are new.
func Compare(a, b *Database) (changes []Change) {
	after := map[string]Object{}
	for _, o := range b.Objects {
		after[o.id()] = o
	}
	for _, o := range a.Objects {
		other, there := after[o.id()]
		delete(after, o.id())
		if !there || !o.same(other) {
			changes = append(changes, Change{o.Type, o.Name, o.SQL, other.SQL})
		}
	}
	for _, o := range b.Objects {
		if _, made := after[o.id()]; made {
			changes = append(changes, Change{Type: o.Type, Name: o.Name, After: o.SQL})
		}
	}
	return changes
}

func (o Object) id() string { return o.Type + " " + strings.ToLower(o.Name) }

// same compares what two objects are, not how they are written. The letters' case of a
// name is seen in answers, so that of the columns counts, and of the object.
func (o Object) same(other Object) bool {
	return o.Name == other.Name && o.columns == other.columns && Normal(o.SQL) == Normal(other.SQL)
}

// Normal returns an object's SQL without what has no meaning: comments, white space, the
// case of words, the kind of a name's quotes, IF NOT EXISTS, and the schema's name.
func Normal(sql string) string {
	var b strings.Builder
	for _, token := range meaning(sql) {
		b.WriteString(token)
		b.WriteByte('\x00')
	}
	return b.String()
}

func meaning(sql string) (tokens []string) {
	for t := range sqltext.Tokens(sql) {
		switch token := t.Text(sql); t.Kind {
		case sqltext.TokenSpace, sqltext.TokenComment, sqltext.TokenSemicolon:
			if t.Kind == sqltext.TokenSemicolon && inTrigger(tokens) {
				tokens = append(tokens, ";")
			}
		case sqltext.TokenQuoted:
			tokens = append(tokens, strings.ToLower(sqltext.Unquote(token)))
		case sqltext.TokenWord, sqltext.TokenNumber, sqltext.TokenBlob:
			tokens = append(tokens, strings.ToLower(token))
		default:
			tokens = append(tokens, token)
		}
	}
	return withoutPrefix(tokens)
}

// inTrigger reports whether a semicolon stands in a trigger's body, where it has a meaning.
func inTrigger(tokens []string) bool {
	return len(tokens) > 1 && tokens[0] == "create" && strings.Contains(strings.Join(tokens[1:min(3, len(tokens))], " "), "trigger")
}

// withoutPrefix takes out what may stand between what an object is and its name.
func withoutPrefix(tokens []string) []string {
	for i := 1; i < min(len(tokens), 5); i++ {
		if i+2 < len(tokens) && tokens[i] == "if" && tokens[i+1] == "not" && tokens[i+2] == "exists" {
			tokens = append(tokens[:i:i], tokens[i+3:]...)
		}
		if i+1 < len(tokens) && tokens[i] == "main" && tokens[i+1] == "." {
			return append(tokens[:i:i], tokens[i+2:]...)
		}
	}
	return tokens
}

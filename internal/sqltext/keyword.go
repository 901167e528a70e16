package sqltext

// lookupVerb returns the first word of a statement in upper case, and the
// kind of statement it begins.
func lookupVerb(word string) (string, Kind) {
	for _, v := range verbs {
		if equalFold(word, v.verb) {
			return v.verb, v.kind
		}
	}
	return upper(word), Unknown
}

// verbs has the common ones first, for the sake of linear search.
var verbs = [...]struct {
	verb string
	kind Kind
}{
	{"INSERT", Write},
	{"SELECT", Read},
	{"UPDATE", Write},
	{"DELETE", Write},
	{"CREATE", Schema},
	{"REPLACE", Write},
	{"VALUES", Read},
	{"PRAGMA", Pragma},
	{"ALTER", Schema},
	{"DROP", Schema},
	{"BEGIN", Transaction},
	{"COMMIT", Transaction},
	{"END", Transaction},
	{"ROLLBACK", Transaction},
	{"SAVEPOINT", Transaction},
	{"RELEASE", Transaction},
	{"REINDEX", Schema},
	{"ANALYZE", Schema},
	{"VACUUM", Schema},
	{"ATTACH", Attach},
	{"DETACH", Attach},
}

// equalFold reports whether s is the upper-case ASCII word in any letter case.
// SQLite folds ASCII only, so strings.EqualFold would find keywords in
// identifiers such as "ſelect".
func equalFold(s, word string) bool {
	if len(s) != len(word) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

// upper maps the ASCII letters of s to upper case.
func upper(s string) string {
	for i := range len(s) {
		if 'a' <= s[i] && s[i] <= 'z' {
			b := []byte(s)
			for j, c := range b {
				if 'a' <= c && c <= 'z' {
					b[j] = c - ('a' - 'A')
				}
			}
			return string(b)
		}
	}
	return s
}

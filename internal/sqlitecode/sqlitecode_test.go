package sqlitecode

import "testing"

func TestFormatAndParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text, message string
		offset, extended    int
	}{
		{"plain", "no such table: nope: SQLITE_ERROR", "no such table: nope", -1, 1},
		{"offset", `near "from": syntax error at offset 7: SQLITE_ERROR`, `near "from": syntax error`, 7, 1},
		{"extended", "UNIQUE constraint failed: t.a: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)",
			"UNIQUE constraint failed: t.a", -1, 2067},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			message, offset, extended := Parse(tt.text)
			if message != tt.message || offset != tt.offset || extended != tt.extended {
				t.Errorf("Parse(%q) = %q, %d, %d", tt.text, message, offset, extended)
			}
			if got := Format(message, offset, extended); got != tt.text {
				t.Errorf("Format = %q, want %q", got, tt.text)
			}
		})
	}
}

func TestParseTextWithoutCode(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "SQL code did not contain a statement.", "x: SQLITE_NONSENSE"} {
		if message, offset, code := Parse(text); message != text || offset != -1 || code != 0 {
			t.Errorf("Parse(%q) = %q, %d, %d", text, message, offset, code)
		}
	}
}

func TestNameOfUnknownCode(t *testing.T) {
	t.Parallel()
	if got := Name(9999); got != "SQLITE_UNKNOWN_9999" {
		t.Error(got)
	}
}

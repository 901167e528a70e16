package shell

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
)

func TestComplete(t *testing.T) {
	t.Parallel()
	db := open(t)
	if _, err := db.Exec(t.Context(), people+`CREATE TABLE "odd name" (pet, "order")`); err != nil {
		t.Fatal(err)
	}
	s := &shell{Config: Config{DB: db}, session: db.WithSession(d1.FirstPrimary)}
	for line, want := range map[string][]string{
		"sel":                  {"select"},
		"SEL":                  {"SELECT"},
		"SELECT nam":           {"name", "names"},
		"SELECT people.":       nil,
		"SELECT people.n":      {"name"},
		"SELECT people.pe":     nil,
		"SELECT p.na":          {"name"}, // of any table, for an alias
		"SELECT od":            {`"odd name"`},
		`SELECT "od`:           {`"odd name"`},
		`SELECT * FROM peo`:    {"people"},
		"SELECT ord":           {`"order"`, "order"},
		"":                     nil,
		"SELECT ":              nil,
		".ta":                  {".tables"},
		"  .h":                 {".headers", ".help"},
		".mode ":               {"csv", "json", "line", "list", "table"},
		".mode j":              {"json"},
		".timer o":             {"off", "on"},
		".dump people n":       {"names"},
		".explain SELECT peop": {"people"},
	} {
		if diff := cmp.Diff(want, s.complete(t.Context(), line, len(line)).words); diff != "" {
			t.Errorf("%q: %s", line, diff)
		}
	}
}

func TestTab(t *testing.T) {
	t.Parallel()
	terminal := &Terminal{complete: func(line string, _ int) completion {
		from := strings.LastIndexByte(line, ' ') + 1
		return completion{from, matching(line[from:], []string{"people", "peopled", "table"})}
	}}
	for line, want := range map[string]string{"SELECT pe": "SELECT people", "t": "table", "x": "x"} {
		if got, pos, ok := terminal.tab(line, len(line), '\t'); got != want || pos != len(want) || !ok {
			t.Errorf("%q becomes %q, %d, %v", line, got, pos, ok)
		}
	}
	if _, _, ok := terminal.tab("a", 1, 'b'); ok {
		t.Error("a letter is no tab")
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a", "history")
	h, err := OpenHistory(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"one", "", " secret", "two", "two", "three"} {
		h.Add(line)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	h, err = OpenHistory(path)
	if err != nil || h.Len() != 3 || h.At(0) != "three" || h.At(2) != "one" {
		t.Errorf("%v, %v", h, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	for range 2 * kept {
		h.Add("a")
		h.Add("b")
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h, err = OpenHistory(path)
	if err != nil || h.Len() != kept || h.At(0) != "b" {
		t.Errorf("%d lines, %v", h.Len(), err)
	}
	_ = h.Close()
	h, err = OpenHistory(filepath.Join(path, "below a file"))
	if err == nil {
		t.Error("there was no error")
	}
	h.Add("still") // it works without a file
	if h.Len() != 1 {
		t.Error("it does not work without a file")
	}
}

func FuzzBuffer(f *testing.F) {
	f.Add("SELECT 1;\nSELECT ';\n/* a", 3)
	f.Add("CREATE TRIGGER a AFTER INSERT ON b BEGIN SELECT 1;\nEND;--", 9)
	f.Fuzz(func(t *testing.T, text string, offset int) {
		var b buffer
		for line := range strings.SplitSeq(text, "\n") {
			if _, err := b.add(line); err != nil {
				return
			}
			for _, st := range b.complete() {
				e := d1.NewError("x")
				e.Offset = offset
				_ = b.locate(e, st)
			}
			if err := b.cut(); err != nil {
				b.drop()
			}
		}
		_, _ = words(text)
	})
}

package migrate

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Wrangler is a folder of migrations as wrangler has them: files with any number of
// statements, ordered by the numbers that their names, and those of their folders, begin
// with. If drizzle-kit made the folder, its migrations can be kept in drizzle's ledger too;
// see [Runner.Adopt].
//
// The pattern says which files are migrations: it is migrations_pattern in a Worker's
// configuration, without migrations_dir. Empty means *.sql. A segment may have *, ? and
// […], and ** stands for any number of segments.
//
// A file that undoes another lies in the folder's own folder down, as
// down/NNNN_name.down.sql; beside the other it would be a migration to wrangler.
func Wrangler(fsys fs.FS, pattern string) Source {
	return sourceFunc(func() (*set, error) {
		names, err := glob(fsys, cmp.Or(pattern, "*.sql"))
		if err != nil {
			return nil, err
		}
		slices.SortFunc(names, naturalOrder)
		s := &set{primaryWrangler: true}
		for i, name := range names {
			u, err := wranglerUnit(fsys, name, i, names)
			if err != nil {
				return nil, err
			}
			s.units = append(s.units, u)
		}
		return s, s.recogniseDrizzle(fsys)
	})
}

func wranglerUnit(fsys fs.FS, name string, i int, names []string) (*unit, error) {
	if up, isDown := strings.CutSuffix(name, downSuffix); isDown && slices.Contains(names, up+".sql") {
		return nil, fmt.Errorf("wrangler would apply %q as a migration; move it to down/%s", name, path.Base(name))
	}
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	version := int64(i + 1)
	if n, numbered := leadingNumber(strings.Split(name, "/")[0]); numbered {
		version = n
	}
	u, err := newUnit(Record{version, name}, string(text))
	if err != nil {
		return nil, err
	}
	u.path = name
	return u, u.readDown(fsys, "down/"+strings.TrimSuffix(path.Base(name), ".sql")+downSuffix)
}

// recogniseDrizzle gives the migrations what drizzle knows them by, if the folder is of
// its making.
func (s *set) recogniseDrizzle(fsys fs.FS) error {
	journal, err := readJournal(fsys)
	if err != nil {
		return err
	}
	for _, u := range s.units {
		if entry, ok := journal[strings.TrimSuffix(u.path, ".sql")]; ok {
			u.drizzle, u.when = byWhen, entry.When
		} else if folder, ok := strings.CutSuffix(u.path, "/migration.sql"); ok {
			if when, ok := folderTime(folder); ok {
				u.drizzle, u.when, u.tag = byTag, when, folder
			}
		}
	}
	return nil
}

// Drizzle is a folder of migrations that drizzle-kit made: with meta/_journal.json and a
// file for each, as its versions 0.x do it, or with a folder for each, as versions 1.x do.
func Drizzle(fsys fs.FS) Source {
	return sourceFunc(func() (*set, error) {
		journal, err := readJournal(fsys)
		if err != nil {
			return nil, err
		}
		if journal != nil {
			return journalSet(fsys, journal)
		}
		return folderSet(fsys)
	})
}

type journalEntry struct {
	Index int64  `json:"idx"`
	When  int64  `json:"when"`
	Tag   string `json:"tag"`
}

// readJournal returns the journal's entries by tag, or nil if there is no journal.
func readJournal(fsys fs.FS) (map[string]journalEntry, error) {
	const name = "meta/_journal.json"
	data, err := fs.ReadFile(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var journal struct {
		Dialect string
		Entries []journalEntry
	}
	if err := json.Unmarshal(data, &journal); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if journal.Dialect != "" && journal.Dialect != "sqlite" {
		return nil, fmt.Errorf("%s is for %s; D1 needs the dialect sqlite", name, journal.Dialect)
	}
	entries := make(map[string]journalEntry)
	for _, e := range journal.Entries {
		if !fs.ValidPath(e.Tag) {
			return nil, fmt.Errorf("%s names %q, which is no file", name, e.Tag)
		}
		if _, twice := entries[e.Tag]; twice {
			return nil, fmt.Errorf("%s names %q twice", name, e.Tag)
		}
		entries[e.Tag] = e
	}
	return entries, nil
}

func journalSet(fsys fs.FS, journal map[string]journalEntry) (*set, error) {
	s := &set{}
	for tag, entry := range journal {
		text, err := fs.ReadFile(fsys, tag+".sql")
		if err != nil {
			return nil, err
		}
		u, err := newUnit(Record{entry.Index, tag}, string(text))
		if err != nil {
			return nil, err
		}
		u.drizzle, u.when, u.path = byWhen, entry.When, tag+".sql"
		s.units = append(s.units, u)
	}
	// The journal's order is that of its list, which drizzle numbers.
	slices.SortFunc(s.units, func(a, b *unit) int { return cmp.Compare(a.version, b.version) })
	return s, nil
}

func folderSet(fsys fs.FS) (*set, error) {
	names, err := fs.Glob(fsys, "*/migration.sql")
	if err != nil {
		return nil, err
	}
	s := &set{}
	for i, name := range names { // Glob sorts, as drizzle does
		folder := path.Dir(name)
		when, ok := folderTime(folder)
		if !ok {
			return nil, fmt.Errorf("the folder %q is not called YYYYMMDDHHMMSS_name", folder)
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		u, err := newUnit(Record{int64(i), folder}, string(text))
		if err != nil {
			return nil, err
		}
		u.drizzle, u.when, u.tag, u.path = byTag, when, folder, name
		s.units = append(s.units, u)
	}
	if len(s.units) == 0 {
		return nil, errors.New("drizzle-kit made no migrations here: there is neither meta/_journal.json " +
			"nor a YYYYMMDDHHMMSS_name/migration.sql")
	}
	return s, nil
}

var folderForm = regexp.MustCompile(`^([0-9]{14})(_|$)`)

// folderTime returns the time in a folder's name, in milliseconds.
func folderTime(folder string) (int64, bool) {
	parts := folderForm.FindStringSubmatch(folder)
	if parts == nil {
		return 0, false
	}
	t, err := time.Parse("20060102150405", parts[1])
	return t.UnixMilli(), err == nil
}

// naturalOrder is wrangler's: by the number that each segment begins with, numbered ones
// first, and then by their letters.
func naturalOrder(a, b string) int {
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	for i := range min(len(as), len(bs)) {
		m, aNumbered := leadingNumber(as[i])
		n, bNumbered := leadingNumber(bs[i])
		switch {
		case aNumbered && !bNumbered:
			return -1
		case !aNumbered && bNumbered:
			return 1
		}
		if c := cmp.Or(cmp.Compare(m, n), strings.Compare(as[i], bs[i])); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(as), len(bs))
}

// leadingNumber returns the digits that a name begins with, up to its first underscore.
func leadingNumber(name string) (int64, bool) {
	end := 0
	for end < len(name) && '0' <= name[end] && name[end] <= '9' {
		end++
	}
	n, err := strconv.ParseInt(name[:end], 10, 64)
	return n, err == nil
}

// glob returns the files that a pattern fits. Names that begin with a dot are left out.
func glob(fsys fs.FS, pattern string) ([]string, error) {
	if strings.ContainsAny(pattern, "{}!") {
		return nil, fmt.Errorf("the pattern %q has {, } or !, which are not understood here; write *, ?, […] or **", pattern)
	}
	if _, err := path.Match(pattern, ""); err != nil || !fs.ValidPath(strings.Trim(pattern, "/")) {
		return nil, fmt.Errorf("the pattern %q is none", pattern)
	}
	want := strings.Split(pattern, "/")
	var names []string
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == ".":
			return nil
		case strings.HasPrefix(d.Name(), "."), d.IsDir() && d.Name() == "node_modules":
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !d.IsDir() && matchSegments(want, strings.Split(name, "/")) {
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

func matchSegments(pattern, name []string) bool {
	if len(pattern) == 0 {
		return len(name) == 0
	}
	if pattern[0] == "**" {
		return matchSegments(pattern[1:], name) || len(name) > 0 && matchSegments(pattern, name[1:])
	}
	if len(name) == 0 {
		return false
	}
	ok, _ := path.Match(pattern[0], name[0])
	return ok && matchSegments(pattern[1:], name[1:])
}

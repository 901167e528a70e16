package migrate

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Source is where migrations come from: [Values], [Files], [Wrangler] or [Drizzle].
type Source interface {
	load() (*set, error)
}

// set is the migrations of a source, in order.
type set struct {
	units []*unit
	// primaryWrangler says that wrangler's ledger is the source's own; otherwise drizzle's is.
	primaryWrangler bool
}

const drizzleTable = "__drizzle_migrations"

type sourceFunc func() (*set, error)

func (f sourceFunc) load() (*set, error) { return f() }

// Values is migrations written in Go, in the order of their versions.
func Values(migrations ...Migration) Source {
	return sourceFunc(func() (*set, error) {
		var units []*unit
		for _, m := range migrations {
			u, err := newSingle(Record{m.Version, m.Name}, m.SQL)
			if err != nil {
				return nil, err
			}
			if m.Down != "" {
				if err := u.setDown(m.Down); err != nil {
					return nil, err
				}
			}
			u.tag = fmt.Sprintf("%04d_%s", m.Version, m.Name)
			units = append(units, u)
		}
		return hashSet(units)
	})
}

// Files is migrations in files of a folder, an [embed.FS] for instance, one statement
// each: NNNN_name.sql, and beside it, if there is a way back, NNNN_name.down.sql. The
// number is the version. Other files than *.sql are not looked at.
func Files(fsys fs.FS) Source {
	return sourceFunc(func() (*set, error) {
		names, err := fs.Glob(fsys, "*.sql")
		if err != nil {
			return nil, err
		}
		var units []*unit
		for _, name := range names {
			if strings.HasPrefix(name, ".") || strings.HasSuffix(name, downSuffix) {
				continue
			}
			u, err := fileUnit(fsys, name)
			if err != nil {
				return nil, err
			}
			units = append(units, u)
		}
		if err := allDownsHaveUps(names); err != nil {
			return nil, err
		}
		if len(units) == 0 {
			return nil, errors.New("there are no migrations: no file is called NNNN_name.sql")
		}
		return hashSet(units)
	})
}

const downSuffix = ".down.sql"

var fileForm = regexp.MustCompile(`^([0-9]+)_.+\.sql$`)

func fileUnit(fsys fs.FS, name string) (*unit, error) {
	parts := fileForm.FindStringSubmatch(name)
	if parts == nil {
		return nil, fmt.Errorf("the file %q is not called NNNN_name.sql", name)
	}
	version, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("the file %q: its number is too large", name)
	}
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	stem := strings.TrimSuffix(name, ".sql")
	u, err := newSingle(Record{version, stem}, string(text))
	if err != nil {
		return nil, err
	}
	u.tag, u.path = stem, name
	return u, u.readDown(fsys, stem+downSuffix)
}

// readDown reads the way back, if there is one.
func (u *unit) readDown(fsys fs.FS, name string) error {
	text, err := fs.ReadFile(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return u.setDown(string(text))
}

func allDownsHaveUps(names []string) error {
	for _, name := range names {
		up, isDown := strings.CutSuffix(name, downSuffix)
		if isDown && !slices.Contains(names, up+".sql") {
			return fmt.Errorf("the file %q undoes a migration that is not there: %s.sql", name, up)
		}
	}
	return nil
}

// hashSet orders migrations that are known by the hashes of their texts.
func hashSet(units []*unit) (*set, error) {
	slices.SortStableFunc(units, func(a, b *unit) int { return cmp.Compare(a.version, b.version) })
	texts := make(map[string]*unit)
	for i, u := range units {
		u.drizzle = byHash
		if i > 0 && units[i-1].version == u.version {
			return nil, fmt.Errorf("duplicate migration version %d: %q and %q", u.version, units[i-1].name, u.name)
		}
		if twin := texts[u.text]; twin != nil {
			return nil, fmt.Errorf("migrations %s and %s have identical SQL, and the ledger could not tell them apart; "+
				"a comment is enough of a difference", twin, u)
		}
		texts[u.text] = u
	}
	return &set{units: units}, nil
}

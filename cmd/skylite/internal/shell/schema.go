package shell

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/skylite-go/skylite/cmd/skylite/internal/render"
	"github.com/skylite-go/skylite/d1"
)

// theirs leaves out what is SQLite's and Cloudflare's.
const theirs = ` AND substr(name, 1, 7) <> 'sqlite_' AND lower(substr(name, 1, 4)) <> '_cf_'`

// object is a row of sqlite_master.
type object struct{ Name, TableName, SQL string }

// objects returns rows of sqlite_master that a condition chooses.
func (s *shell) objects(ctx context.Context, where string, args ...any) ([]object, error) {
	return d1.All[object](ctx, s.on(), "SELECT name, tbl_name AS table_name, coalesce(sql, '') AS sql FROM sqlite_master WHERE "+
		where+theirs, args...)
}

func (s *shell) tables(ctx context.Context, args []string) error {
	return s.listObjects(ctx, "type IN ('table', 'view')", "instr(lower(name), lower(?)) > 0", args)
}

func (s *shell) indexes(ctx context.Context, args []string) error {
	return s.listObjects(ctx, "type = 'index'", "lower(tbl_name) = lower(?)", args)
}

// listObjects lists the names of objects. An argument narrows them.
func (s *shell) listObjects(ctx context.Context, where, narrower string, args []string) error {
	var values []any
	if len(args) > 0 {
		where, values = where+" AND "+narrower, []any{args[0]}
	}
	found, err := s.objects(ctx, where, values...)
	if err != nil {
		return err
	}
	names := make([]string, len(found))
	for i, o := range found {
		names[i] = render.Printable(o.Name)
	}
	return s.list(names)
}

// list writes names: on a terminal side by side, elsewhere one on each line.
func (s *shell) list(names []string) error {
	widest := 1
	for _, name := range names {
		widest = max(widest, render.Width(name)+2)
	}
	across := 1
	if s.printer.Terminal {
		across = max(s.printer.Width/widest, 1)
	}
	for i, name := range names {
		end := "\n"
		if (i+1)%across != 0 && i+1 < len(names) {
			end = strings.Repeat(" ", widest-render.Width(name))
		}
		if _, err := fmt.Fprint(s.printer.W, name, end); err != nil {
			return err
		}
	}
	return nil
}

func (s *shell) schema(ctx context.Context, args []string) error {
	where, values := "sql IS NOT NULL", []any(nil)
	if len(args) > 0 {
		where, values = where+" AND (lower(tbl_name) = lower(?1) OR lower(name) = lower(?1))", []any{args[0]}
	}
	found, err := s.objects(ctx, where, values...)
	if err != nil {
		return err
	}
	if len(found) == 0 && len(args) > 0 {
		return fmt.Errorf(".schema: there is no table %q", args[0])
	}
	for _, o := range found {
		if _, err := fmt.Fprintln(s.printer.W, o.SQL+";"); err != nil {
			return err
		}
	}
	return nil
}

// explain draws SQLite's plan of a statement.
func (s *shell) explain(ctx context.Context, sql string) error {
	sql = strings.TrimRight(sql, "; \t")
	if strings.TrimSpace(sql) == "" {
		return errors.New(".explain: it is .explain SQL")
	}
	ctx, stop := s.Interrupted(ctx)
	defer stop()
	steps, err := d1.All[step](ctx, s.on(), "EXPLAIN QUERY PLAN "+sql)
	if err != nil {
		return ended(ctx, err)
	}
	_, err = fmt.Fprint(s.printer.W, "QUERY PLAN\n", tree(steps, 0, ""))
	return err
}

// step is a row of EXPLAIN QUERY PLAN.
type step struct {
	ID, Parent, Notused int64
	Detail              string
}

// tree draws the steps below one.
func tree(steps []step, parent int64, indent string) string {
	var below []step
	for _, st := range steps {
		if st.Parent == parent && st.ID != parent {
			below = append(below, st)
		}
	}
	var b strings.Builder
	for i, st := range below {
		branch, more := "├─ ", "│  "
		if i == len(below)-1 {
			branch, more = "└─ ", "   "
		}
		b.WriteString(indent + branch + render.Printable(st.Detail) + "\n" + tree(steps, st.ID, indent+more))
	}
	return b.String()
}

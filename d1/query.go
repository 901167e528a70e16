package d1

import "context"

// Querier runs requests: a [DB], a [Session], or whatever a program puts in
// front of one.
type Querier interface {
	Do(ctx context.Context, req Request) (*Results, error)
}

// queries gives DB and Session what they have in common.
type queries struct{ on Querier }

// Prepare returns a statement to bind arguments to and to run. Nothing is sent,
// and nothing is checked, before it runs.
func (q queries) Prepare(sql string) *Stmt {
	return &Stmt{on: q.on, statement: Statement{SQL: sql}}
}

// Run runs a statement, drops the rows it returns, and returns its meta.
func (q queries) Run(ctx context.Context, sql string, args ...any) (Meta, error) {
	return run(ctx, q.on, Statement{SQL: sql, Args: args})
}

// All runs a statement and returns all its rows.
func (q queries) All(ctx context.Context, sql string, args ...any) (*Result, error) {
	return all(ctx, q.on, Statement{SQL: sql, Args: args})
}

// First runs a statement and returns its first row, to be scanned at once:
//
//	err := db.First(ctx, "SELECT name FROM users WHERE id = ?", 7).Scan(&name)
func (q queries) First(ctx context.Context, sql string, args ...any) *Row {
	return first(ctx, q.on, Statement{SQL: sql, Args: args})
}

// Query runs a statement and returns its Results, to be read row by row. The
// first call of NextResult has been made. Close them.
func (q queries) Query(ctx context.Context, sql string, args ...any) (*Results, error) {
	return query(ctx, q.on, Statement{SQL: sql, Args: args})
}

// Batch runs statements as one transaction and returns one Result for each. If
// one fails, none has any effect.
func (q queries) Batch(ctx context.Context, statements ...*Stmt) ([]*Result, error) {
	req := Request{Statements: make([]Statement, len(statements))}
	for i, s := range statements {
		req.Statements[i] = s.statement
	}
	results, err := q.on.Do(ctx, req)
	if err != nil {
		return nil, err
	}
	batch := make([]*Result, 0, len(statements))
	for results.NextResult() {
		r, err := readResult(results)
		if err != nil {
			results.Close()
			return nil, err
		}
		batch = append(batch, r)
	}
	if err := results.Close(); err != nil {
		return nil, err
	}
	if len(batch) < len(statements) {
		return nil, errNoResult
	}
	return batch, nil
}

// Stmt is a statement with its arguments. It is immutable, cheap, and safe for
// concurrent use; the database's side keeps compiled statements by their text.
type Stmt struct {
	on        Querier
	statement Statement
}

// Bind returns the statement with these arguments, one for each parameter, in
// place of any it had. See [Arg] for their types.
func (s *Stmt) Bind(args ...any) *Stmt {
	return &Stmt{on: s.on, statement: Statement{SQL: s.statement.SQL, Args: args}}
}

// Run runs the statement, drops the rows it returns, and returns its meta.
func (s *Stmt) Run(ctx context.Context) (Meta, error) { return run(ctx, s.on, s.statement) }

// All runs the statement and returns all its rows.
func (s *Stmt) All(ctx context.Context) (*Result, error) { return all(ctx, s.on, s.statement) }

// First runs the statement and returns its first row, to be scanned at once.
func (s *Stmt) First(ctx context.Context) *Row { return first(ctx, s.on, s.statement) }

// Raw runs the statement and returns its Results, to be read row by row. The
// first call of NextResult has been made. Close them.
func (s *Stmt) Raw(ctx context.Context) (*Results, error) { return query(ctx, s.on, s.statement) }

// Result is a statement's whole answer.
type Result struct {
	// Columns are the columns' names, in order, with duplicates.
	Columns []string
	// Rows hold nil, int64, float64, string or []byte for each column.
	Rows [][]any
	// Meta is what D1 says of the statement.
	Meta Meta
}

func query(ctx context.Context, on Querier, s Statement) (*Results, error) {
	results, err := on.Do(ctx, Request{Statements: []Statement{s}})
	if err != nil {
		return nil, err
	}
	if !results.NextResult() {
		if err := results.Close(); err != nil {
			return nil, err
		}
		return nil, errNoResult
	}
	return results, nil
}

func run(ctx context.Context, on Querier, s Statement) (Meta, error) {
	results, err := query(ctx, on, s)
	if err != nil {
		return Meta{}, err
	}
	meta := results.Meta()
	return meta, results.finish()
}

func all(ctx context.Context, on Querier, s Statement) (*Result, error) {
	results, err := query(ctx, on, s)
	if err != nil {
		return nil, err
	}
	r, err := readResult(results)
	if err != nil {
		results.Close()
		return nil, err
	}
	return r, results.finish()
}

// Row is the first row of a statement's answer, or the error that kept it away.
// Its Scan must be called.
type Row struct {
	results *Results
	err     error
}

func first(ctx context.Context, on Querier, s Statement) *Row {
	results, err := query(ctx, on, s)
	return &Row{results: results, err: err}
}

// Scan copies the row into the destinations, one for each column, and ends the
// request. It returns [ErrNoRows] if there is no row. See [Convert] for what goes
// into what.
func (r *Row) Scan(dest ...any) error {
	return r.read(func(results *Results) error { return results.Scan(dest...) })
}

func (r *Row) read(scan func(*Results) error) error {
	if r.err != nil {
		return r.err
	}
	defer r.results.Close()
	if r.results.Next() {
		if err := scan(r.results); err != nil {
			return err
		}
		return r.results.Close()
	}
	if err := r.results.finish(); err != nil {
		return err
	}
	return ErrNoRows
}

// readResult reads the current result to its end.
func readResult(results *Results) (*Result, error) {
	r := &Result{Columns: append([]string(nil), results.Columns()...)}
	for results.Next() {
		row := make([]any, len(r.Columns))
		for i, v := range results.Row() {
			value, err := v.Any()
			if err != nil {
				return nil, columnError(r.Columns, i, err)
			}
			row[i] = value
		}
		r.Rows = append(r.Rows, row)
	}
	r.Meta = results.Meta()
	return r, results.Err()
}

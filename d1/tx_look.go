package d1

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/skylite-go/skylite/internal/speculate"
	"github.com/skylite-go/skylite/internal/sqlitecode"
)

// read runs a read and records what it returned. A transaction that has written
// nothing reads as anybody does; another one reads behind its writes.
func (tx *Tx) read(ctx context.Context, o *op) (*txResult, error) {
	if o.parsed.Explain {
		return tx.explain(ctx, o)
	}
	table, err := tx.table(ctx, o)
	if err != nil {
		return nil, err
	}
	result := &txResult{columns: table.Columns}
	for _, text := range table.Rows {
		row, err := speculate.DecodeRow(text)
		if err != nil {
			return nil, err
		}
		result.rows = append(result.rows, row)
	}
	o.columns, o.seen = len(table.Columns), speculate.Seen(table.Rows)
	if len(o.seen) > maxSeen && !tx.readOnly {
		_, err := o.guard(tx.db.marks(), 0)
		return nil, err
	}
	tx.record(o)
	return result, nil
}

// explain runs an EXPLAIN, which cannot stand in a subquery.
func (tx *Tx) explain(ctx context.Context, o *op) (*txResult, error) {
	if tx.writes > 0 {
		return nil, refused(0, "EXPLAIN cannot be run in a transaction that has written; run it before, or outside")
	}
	r, err := all(ctx, tx.db, Statement{SQL: o.sql, Args: o.args})
	if err != nil {
		return nil, err
	}
	return &txResult{columns: r.Columns, rows: r.Rows}, nil
}

// table reads the rows of a read. How many columns it has must be known for that:
// mostly its text tells, else it costs a request, once. So do the names of a read
// that lists tables, behind a write: what keeps the names is a table itself.
func (tx *Tx) table(ctx context.Context, o *op) (table speculate.Table, err error) {
	n, certain := o.parsed.ResultCount()
	catalog := tx.writes > 0 && o.parsed.NamesCatalog()
	var columns []string
	if !certain || catalog {
		known := false
		if columns, known = tx.db.shapes.read(o.sql); !known {
			if columns, err = tx.names(ctx, o); err != nil {
				return table, err
			}
			tx.db.shapes.putRead(o.sql, columns)
		}
		n = len(columns)
	}
	if !catalog {
		columns = nil
	}
	table, err = tx.tableOf(ctx, o, n, columns)
	if actual, moved := valuesFor(err); moved && actual != n && !catalog {
		if table, err = tx.tableOf(ctx, o, actual, nil); err == nil {
			tx.db.shapes.putRead(o.sql, table.Columns)
		}
	}
	return table, err
}

// valuesFor recognises the error of a read that has another number of columns than
// was thought.
func valuesFor(err error) (n int, ok bool) {
	e, isD1 := errors.AsType[*Error](err)
	if !isD1 {
		return 0, false
	}
	_, rest, ok := strings.Cut(e.Message, "table _skylite_q has ")
	if !ok {
		return 0, false
	}
	number, _, ok := strings.Cut(rest, " values for")
	n, err = strconv.Atoi(number)
	return n, ok && err == nil
}

// names asks for the names of a read's columns.
func (tx *Tx) names(ctx context.Context, o *op) ([]string, error) {
	if tx.writes == 0 {
		names, offset := speculate.Names(o.sql)
		results, err := query(ctx, tx.db, Statement{SQL: names, Args: o.args})
		if err != nil {
			return nil, o.shifted(err, offset)
		}
		columns := append([]string(nil), results.Columns()...)
		return columns, results.finish()
	}
	names, offset := speculate.NamesTable(o.sql)
	payload, err := tx.speculate(ctx, len(tx.ops), Statement{SQL: names, Args: o.args},
		Statement{SQL: tx.db.marks().AnswerNoRows()})
	if err != nil {
		return nil, o.shifted(err, offset)
	}
	table, err := speculate.DecodeTable(payload)
	return table.Columns, err
}

// tableOf reads the rows of a read with n columns. It asks for their names unless it
// is given them.
func (tx *Tx) tableOf(ctx context.Context, o *op, n int, columns []string) (speculate.Table, error) {
	if tx.writes == 0 {
		return tx.present(ctx, o, n)
	}
	if columns != nil {
		payload, err := tx.speculate(ctx, len(tx.ops),
			Statement{SQL: tx.db.marks().AnswerKnown(o.sql, columns), Args: o.args})
		if err != nil {
			return speculate.Table{}, tooBig(err)
		}
		return speculate.DecodeTable(payload)
	}
	names, offset := speculate.NamesTable(o.sql)
	payload, err := tx.speculate(ctx, len(tx.ops), Statement{SQL: names, Args: o.args},
		Statement{SQL: tx.db.marks().AnswerRows(o.sql, n), Args: o.args})
	if err != nil {
		return speculate.Table{}, o.shifted(tooBig(err), offset)
	}
	return speculate.DecodeTable(payload)
}

// present reads without anything to read behind. In a transaction that only reads,
// the earlier reads are made sure of in the same request.
func (tx *Tx) present(ctx context.Context, o *op, n int) (table speculate.Table, err error) {
	b := &batch{}
	if tx.readOnly {
		if b, err = tx.batch(tx.ops, false); err != nil {
			return table, err
		}
	}
	guards := len(b.statements)
	names, offset := speculate.Names(o.sql)
	rows, _ := speculate.Rows(o.sql, n)
	statements := append(b.statements, Statement{SQL: names, Args: o.args}, Statement{SQL: rows, Args: o.args})
	results, err := tx.db.Do(ctx, Request{Statements: statements})
	if err != nil {
		return table, theLast(o.shifted(tx.failure(err, b), offset))
	}
	defer results.Close()
	for i := 0; results.NextResult(); i++ {
		if i == guards {
			table.Columns = speculate.Original(append([]string(nil), results.Columns()...))
		}
		for i > guards && results.Next() {
			table.Rows = append(table.Rows, string(results.Row()[0].Bytes()))
		}
	}
	return table, theLast(o.shifted(tx.failure(results.Close(), b), offset))
}

// speculate runs the first n operations and what follows, the last of which raises an
// answer, and returns that. Nothing of it stays.
func (tx *Tx) speculate(ctx context.Context, n int, then ...Statement) (payload string, err error) {
	b, err := tx.batch(tx.ops[:n], false)
	if err != nil {
		return "", err
	}
	payload, err = tx.ask(ctx, b, then)
	if err == nil {
		tx.verified = max(tx.verified, n)
		return payload, nil
	}
	e, ok := errors.AsType[*Error](err)
	switch {
	case ok && e.Statement >= 0 && e.Statement < n:
		return "", earlier(err, b.ops[e.Statement])
	case !ok || e.Code == 0 || e.Statement >= n || tx.verified >= n:
		return "", theLast(err)
	}
	// The error may be one of the statements before. D1 does not say, so ask again
	// without those that follow.
	if _, before := tx.ask(ctx, b, []Statement{{SQL: tx.db.marks().AnswerNothing()}}); before != nil {
		return "", earlier(before, nil)
	}
	tx.verified = n
	return "", theLast(err)
}

// theLast makes an error that of the statement the caller gave.
func theLast(err error) error {
	if e, ok := errors.AsType[*Error](err); ok && e == err {
		clone := *e
		clone.Statement = 0
		return &clone
	}
	return err
}

// ask sends a batch that always fails, and returns the answer in its error.
func (tx *Tx) ask(ctx context.Context, b *batch, then []Statement) (string, error) {
	statements := append(append([]Statement(nil), b.statements...), then...)
	results, err := tx.db.Do(ctx, Request{Statements: statements})
	if err == nil {
		if err = results.finish(); err == nil {
			return "", &Error{Message: "a statement that must fail did not: the database is none of D1's kind, " +
				"and the statements of the transaction have been run", Offset: -1, Statement: -1, Outcome: OutcomeUnknown}
		}
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return "", err
	}
	kind, payload, _, readErr := tx.db.marks().Read(e.Message)
	if kind == speculate.Answer {
		return payload, readErr
	}
	if e.Outcome == OutcomeUnknown { // it would have been rolled back
		clone := *e
		clone.Outcome = OutcomeRefused
		err = &clone
	}
	return "", tx.failure(err, b)
}

func earlier(err error, o *op) error {
	if o == nil {
		return fmt.Errorf("d1: an earlier statement of the transaction failed: %w", err)
	}
	return fmt.Errorf("d1: an earlier statement of the transaction failed, %q: %w", short(o.parsed.Text), err)
}

// short is a statement's text for a message.
func short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > 80 {
		return string(r[:79]) + "…"
	}
	return text
}

// tooBig explains the error of an answer that an error's text cannot hold.
func tooBig(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != sqlitecode.TooBig || e.Outcome == OutcomeUnsent {
		return err
	}
	clone := *e
	clone.Message = "what a transaction reads after it has written comes back in the text of an error, " +
		"and this is too big for it; read in parts, or before writing: SQLITE_TOOBIG"
	return &clone
}

// shifted takes from an error's offset what stands before a read's text. Where SQLite
// stumbles over the parenthesis behind the text, it was not complete.
func (o *op) shifted(err error, by int) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e != err || e.Offset < by {
		return err
	}
	clone := *e
	clone.Offset -= by
	message, _, code := sqlitecode.Parse(e.Message)
	if clone.Offset == len(o.sql)+len("\n") && strings.HasPrefix(message, `near ")"`) {
		message, clone.Offset = "incomplete input", -1
	}
	if code != 0 {
		clone.Message = sqlitecode.Format(message, clone.Offset, code)
	}
	return &clone
}

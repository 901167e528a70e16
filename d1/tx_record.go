package d1

import (
	"context"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/skylite-go/skylite/internal/speculate"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// op is a statement in a transaction's record, and what its caller has seen of it.
type op struct {
	sql    string // without a semicolon
	args   []any
	parsed sqltext.Statement
	write  bool
	gone   bool // taken back

	// Of a read: how many columns it has and what it returned; see [speculate.Seen].
	columns int
	seen    string

	// Of a write: what it did, if that is known, and what of it the caller has seen.
	known           bool
	changes, lastID int64
	sawChanges      bool
	sawID           bool
	returned        *returned
}

// inserts reports whether the write gives a rowid.
func (o *op) inserts() bool { return o.parsed.Verb == "INSERT" || o.parsed.Verb == "REPLACE" }

// guarded reports whether a read must be read again in Commit: what depends on
// nothing but chance and the clock may be what it was.
func (o *op) guarded() bool { return !o.write && o.parsed.ReadsData() }

// batch is the record as statements to send.
type batch struct {
	ops        []*op
	statements []Statement
	owner      []int // the index in ops of each statement
	reports    map[int]*op
}

// batch writes the record out. In a commit each write whose effect nobody has asked
// for reports it.
func (tx *Tx) batch(ops []*op, commit bool) (*batch, error) {
	b := &batch{ops: ops, reports: make(map[int]*op)}
	marks := tx.db.marks()
	for i, o := range ops {
		if !o.write {
			if !o.guarded() {
				continue
			}
			guard, err := o.guard(marks, i)
			if err != nil {
				return nil, err
			}
			b.add(i, guard)
			continue
		}
		statement, err := o.statement(marks, i)
		if err != nil {
			return nil, err
		}
		b.add(i, statement)
		if o.parsed.Kind != sqltext.Write {
			continue
		}
		switch assertion := o.assertion(marks, i); {
		case assertion != "":
			b.add(i, Statement{SQL: assertion})
		case commit && !o.known:
			b.reports[len(b.statements)] = o
			b.add(i, Statement{SQL: speculate.Report})
		}
	}
	return b, nil
}

func (b *batch) add(owner int, s Statement) {
	b.statements = append(b.statements, s)
	b.owner = append(b.owner, owner)
}

// maxSeen is how much a transaction can make sure of in one read: less than the
// length of SQLite's longest text under D1, which is 8,388,642 bytes.
const maxSeen = 8_000_000

// maxLiteral keeps a statement with what was read in its text under D1's limit.
const maxLiteral = 80_000

// guard returns the statement that makes sure of a read.
func (o *op) guard(marks speculate.Marks, i int) (Statement, error) {
	if len(o.seen) > maxSeen {
		return Statement{}, refused(-1, "a transaction read "+strconv.Itoa(len(o.seen))+" bytes with one statement; "+
			"what it reads is sent back to make sure of it, which D1 allows for "+strconv.Itoa(maxSeen)+
			" bytes: read in parts, or outside of the transaction")
	}
	expected, args, ok := expect(o.seen, o.args)
	if !ok {
		return Statement{}, refused(-1, "a read of a transaction has so many parameters that what it returned, "+
			strconv.Itoa(len(o.seen))+" bytes, cannot be sent back to make sure of it; use fewer parameters")
	}
	return Statement{SQL: marks.Guard(o.sql, o.columns, expected, i), Args: args}, nil
}

// expect returns an expression for a text, to stand behind all the parameters of a
// statement with these arguments: as further parameters, or as a literal.
func expect(text string, args []any) (sql string, all []any, ok bool) {
	var marks []string
	all = append(all, args...)
	for rest := text; rest != ""; {
		n := min(len(rest), MaxValueBytes-utf8.UTFMax)
		for n < len(rest) && !utf8.RuneStart(rest[n]) {
			n++
		}
		marks = append(marks, "?")
		all = append(all, rest[:n])
		rest = rest[n:]
	}
	if len(all) <= MaxParams {
		return "(" + strings.Join(marks, "||") + ")", all, true
	}
	return sqltext.QuoteString(text), args, len(text) <= maxLiteral
}

// statement returns a write as it is sent.
func (o *op) statement(marks speculate.Marks, i int) (Statement, error) {
	if o.returned != nil {
		return o.returned.assertion(marks, o, i)
	}
	return Statement{SQL: o.sql, Args: o.args}, nil
}

// assertion returns the statement that makes sure of what the caller knows of a write,
// or "" if it knows nothing.
func (o *op) assertion(marks speculate.Marks, i int) string {
	var changes, lastID *int64
	if o.sawChanges {
		changes = &o.changes
	}
	if o.sawID && o.changes > 0 {
		lastID = &o.lastID
	}
	if changes == nil && lastID == nil {
		return ""
	}
	return marks.Assert(changes, lastID, i)
}

func (o *op) readReport(results *Results) error {
	if !results.Next() {
		return results.Err()
	}
	var changes, lastID string
	if err := results.Scan(&changes, &lastID); err != nil {
		return err
	}
	var err error
	if o.changes, err = strconv.ParseInt(changes, 10, 64); err != nil {
		return err
	}
	o.lastID, err = strconv.ParseInt(lastID, 10, 64)
	o.known = err == nil
	return err
}

// Pending is what a statement that [Tx.Exec] has recorded does. It is known after
// Commit; before, asking for it costs one request, and Commit will make sure that
// it stays true. It is safe for concurrent use.
type Pending struct {
	tx *Tx
	op *op
}

// RowsAffected returns the number of rows that the statement itself inserts,
// updates or deletes: SQLite's changes(), which does not count what triggers and
// foreign keys do.
func (p *Pending) RowsAffected(ctx context.Context) (int64, error) {
	p.tx.mu.Lock()
	defer p.tx.mu.Unlock()
	if p.op.parsed.Kind != sqltext.Write {
		return 0, nil
	}
	if err := p.tx.look(ctx, p.op); err != nil {
		return 0, err
	}
	p.op.sawChanges = true
	return p.op.changes, nil
}

// LastInsertID returns the rowid of the last row that an INSERT or REPLACE inserts.
// For other statements it is 0.
func (p *Pending) LastInsertID(ctx context.Context) (int64, error) {
	p.tx.mu.Lock()
	defer p.tx.mu.Unlock()
	if !p.op.inserts() {
		return 0, nil
	}
	if !p.tx.done {
		p.tx.takeTurn(ctx)
	}
	if err := p.tx.look(ctx, p.op); err != nil {
		return 0, err
	}
	p.op.sawID = true
	return p.op.lastID, nil
}

// look finds out what a recorded write does.
func (tx *Tx) look(ctx context.Context, o *op) error {
	switch {
	case o.known:
		return nil
	case o.gone || tx.done:
		return ErrTxDone
	}
	n := len(tx.ops)
	for tx.ops[n-1] != o {
		n--
	}
	payload, err := tx.speculate(ctx, n, Statement{SQL: tx.db.marks().AnswerReport()})
	if err == nil {
		o.changes, o.lastID, err = speculate.DecodeReport(payload)
	}
	o.known = err == nil
	return err
}

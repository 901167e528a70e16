package d1sql

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqlschema"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// shapes remembers what the columns of a pool's queries are. It reads the schema when a query
// first needs it, and again when the schema may have changed. The zero value is ready to
// use; it is safe for concurrent use.
type shapes struct {
	mu      sync.Mutex
	schema  *sqlschema.Schema // nil until it is read
	loading *load
	texts   map[string]*shape
}

// load is a reading of the schema that several queries wait for.
type load struct {
	done      chan struct{}
	schema    *sqlschema.Schema // nil if it failed
	cancelled bool              // because of its own query's context
}

// shape is what is known of the answer to a text.
type shape struct {
	statement *sqlschema.Statement // nil if none of its columns can have a type

	// What follows is guarded by shapes.mu.
	schema *sqlschema.Schema // that the types were found out with
	answer *answer           // nil if not even the number of columns is sure
	names  []string
	wrong  bool // the answer had other columns with this schema
}

// maxShapes is how many texts are remembered before all are forgotten, and maxShapeText how
// long they may be.
const (
	maxShapes    = 512
	maxShapeText = 64 << 10
)

// reloadTimeout bounds the reading of the schema while rows are open, which may hold what
// the reading waits for.
const reloadTimeout = 2 * time.Second

// of returns the shape of a statement, or nil if its columns have no types.
func (s *shapes) of(piece sqltext.Statement) *shape {
	if !piece.ReturnsRows || piece.Kind == sqltext.Pragma {
		return nil
	}
	s.mu.Lock()
	known, ok := s.texts[piece.Text]
	s.mu.Unlock()
	if !ok {
		known = &shape{statement: sqlschema.Parse(piece)}
		s.remember(piece.Text, known)
	}
	if known.statement == nil {
		return nil
	}
	return known
}

func (s *shapes) remember(text string, known *shape) {
	if len(text) > maxShapeText {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.texts == nil || len(s.texts) >= maxShapes {
		s.texts = make(map[string]*shape)
	}
	s.texts[text] = known
}

// forget makes the next query that needs the schema read it again.
func (s *shapes) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.schema, s.loading = nil, nil
}

// forgetThis forgets a schema, unless another has taken its place.
func (s *shapes) forgetThis(schema *sqlschema.Schema) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.schema == schema {
		s.schema, s.loading = nil, nil
	}
}

// read returns the schema, which it reads if nobody has. One query reads it while others
// wait. It returns nil if that fails: the types are unknown then, until the next try.
func (s *shapes) read(ctx context.Context, on d1.Querier) *sqlschema.Schema {
	for ctx.Err() == nil {
		s.mu.Lock()
		if schema := s.schema; schema != nil {
			s.mu.Unlock()
			return schema
		}
		l := s.loading
		if l == nil {
			l = &load{done: make(chan struct{})}
			s.loading = l
			s.mu.Unlock()
			return s.load(ctx, on, l)
		}
		s.mu.Unlock()
		select {
		case <-l.done:
		case <-ctx.Done():
		}
		if l.isDone() && !l.cancelled {
			return l.schema
		}
	}
	return nil
}

func (l *load) isDone() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// load reads the schema. It is kept unless it was forgotten meanwhile.
func (s *shapes) load(ctx context.Context, on d1.Querier, l *load) *sqlschema.Schema {
	schema, err := readSchema(ctx, on)
	l.schema, l.cancelled = schema, err != nil && ctx.Err() != nil
	s.mu.Lock()
	if s.loading == l {
		s.schema, s.loading = schema, nil
	}
	s.mu.Unlock()
	close(l.done)
	return schema
}

const schemaQuery = "SELECT type, name, sql FROM sqlite_master WHERE type IN ('table', 'view')"

func readSchema(ctx context.Context, on d1.Querier) (*sqlschema.Schema, error) {
	results, err := on.Do(ctx, d1.Request{Statements: []d1.Statement{{SQL: schemaQuery}}})
	if err != nil {
		return nil, err
	}
	var objects []sqlschema.Object
	if results.NextResult() {
		for results.Next() {
			row := results.Row()
			objects = append(objects, sqlschema.Object{
				Type: string(row[0].Bytes()), Name: string(row[1].Bytes()), SQL: string(row[2].Bytes()),
			})
		}
	}
	if err := results.Close(); err != nil {
		return nil, err
	}
	return sqlschema.New(objects), nil
}

// resolve returns what a schema tells of a text's answer, which has these columns. If it should
// have others, the schema has changed.
func (s *shapes) resolve(known *shape, schema *sqlschema.Schema, columns []string) (a *answer, changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known.schema != schema {
		known.schema, known.answer, known.names, known.wrong = schema, nil, nil, false
		if resolved, ok := schema.Resolve(known.statement); ok {
			known.answer, known.names = answerOf(resolved)
		}
	}
	switch {
	case known.wrong || known.answer == nil:
		return nil, false
	case !sameNames(known.names, columns):
		known.wrong = true
		return nil, true
	}
	return known.answer, false
}

// sameNames reports whether an answer's columns are called as expected, as far as that is
// known.
func sameNames(expected, columns []string) bool {
	if len(expected) != len(columns) {
		return false
	}
	for i, name := range expected {
		if name != "" && !strings.EqualFold(name, columns[i]) {
			return false
		}
	}
	return true
}

// expect reads the schema before a query is sent, if the types of its columns depend on it:
// afterwards its rows might hold what the reading waits for. It reports whether the types
// can be asked for.
func (c *Conn) expect(ctx context.Context, pieces []sqltext.Statement) bool {
	needed := false
	for _, piece := range pieces {
		if piece.Kind == sqltext.Schema {
			return true // what is read now would be old by then
		}
		needed = needed || c.shapes.of(piece) != nil
	}
	if !needed {
		return true
	}
	shapes, on := c.seen()
	return shapes.read(ctx, on) != nil
}

// seen returns what the connection sees of the schema: in a transaction that has changed
// it, another than everybody else.
func (c *Conn) seen() (*shapes, d1.Querier) {
	if c.tx != nil && c.tx.schema {
		return &c.tx.shapes, c.tx.Tx
	}
	return c.shapes, c.db
}

// settle forgets the schema after statements that may have changed it, and after an error
// that says that somebody has.
func (c *Conn) settle(pieces []sqltext.Statement, err error) {
	if e, ok := errors.AsType[*d1.Error](err); ok &&
		(strings.Contains(e.Message, "no such column") || strings.Contains(e.Message, "no such table")) {
		c.shapes.forget()
		return
	}
	for _, piece := range pieces {
		if piece.Kind != sqltext.Schema || piece.Explain {
			continue
		}
		if c.tx == nil {
			c.shapes.forget()
			return
		}
		c.tx.schema = true
		c.tx.shapes.forget()
	}
}

// types returns what is known of a statement's answer, which has these columns.
func (c *Conn) types(ctx context.Context, piece sqltext.Statement, columns []string) *answer {
	shapes, on := c.seen()
	known := shapes.of(piece)
	if known == nil || len(columns) == 0 {
		return nil
	}
	if schema := shapes.current(); schema != nil {
		a, changed := shapes.resolve(known, schema, columns)
		if !changed {
			return a
		}
		shapes.forgetThis(schema)
	}
	ctx, cancel := context.WithTimeout(ctx, reloadTimeout)
	defer cancel()
	schema := shapes.read(ctx, on)
	if schema == nil {
		return nil
	}
	a, _ := shapes.resolve(known, schema, columns)
	return a
}

// current returns the schema if it has been read.
func (s *shapes) current() *sqlschema.Schema {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.schema
}

package embedded

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

var _ d1.Importer = (*DB)(nil)

// Import implements [d1.Importer]. The script runs as one transaction, while readers go
// on reading the state before it and other writers wait. It may take as long as it likes;
// each of its statements has the time of [Config.Timeout]. Memory does not grow with it,
// but the write-ahead log does: the disk must have room for about twice the script.
//
// PRAGMA foreign_keys=OFF takes effect, as in an import on D1 and nowhere else there:
// from this statement on, to the end or to the PRAGMA that turns them on, nothing is
// checked and nothing cascades.
func (db *DB) Import(ctx context.Context, script io.ReadSeeker, opts d1.ImportOptions) (d1.Imported, error) {
	if err := ctx.Err(); err != nil {
		return d1.Imported{}, unsent(err.Error(), err)
	}
	if _, err := script.Seek(0, io.SeekStart); err != nil {
		return d1.Imported{}, unsent("read the script: "+err.Error(), err)
	}
	if err := db.enter(); err != nil {
		return d1.Imported{}, err
	}
	defer db.active.Done()
	im := &importer{ctx: ctx, script: sqltext.NewScanner(script, maxScanned), progress: opts.Progress}
	job := &writeJob{ctx: ctx, run: im.run, done: make(chan struct{})}
	if err := db.queue(job); err != nil {
		return d1.Imported{}, err
	}
	im.done.Bookmark = db.states.bookmark(job.number)
	return im.done, nil
}

// maxScanned is how long a statement of a script may be with the white space and the
// comments around it.
const maxScanned = 1 << 20

// importer runs a script on the writer's connection.
type importer struct {
	*conn
	ctx      context.Context
	script   *sqltext.Scanner
	progress func(message string)
	told     time.Time // when progress was told last
	literals sqltext.Literals
	inserts  map[string]*stmt // by the text that literals were taken out of
	done     d1.Imported
}

// maxInserts is how many statements an import keeps compiled.
const maxInserts = 128

// run runs the script in the transaction that is open.
func (im *importer) run(c *conn) error {
	began := time.Now()
	im.conn, im.told = c, began
	im.inserts = make(map[string]*stmt)
	defer im.forget()
	defer c.SetInterrupt(context.Background())
	changes, rowID, size := c.TotalChanges(), c.LastInsertRowID(), c.bytes
	for more := true; more; {
		var err error
		if more, err = im.next(); err != nil {
			return err
		}
	}
	if im.done.Statements == 0 {
		return d1.NewError("No SQL statements detected.")
	}
	c.bytes = c.size()
	m := c.db.baseMeta()
	m.RowsRead, m.RowsWritten = im.done.Meta.RowsRead, im.done.Meta.RowsWritten
	m.Changes, m.LastRowID, m.SizeAfter = c.TotalChanges()-changes, c.LastInsertRowID(), c.bytes
	m.ChangedDB = m.Changes != 0 || m.LastRowID != rowID || m.SizeAfter != size
	m.Duration = time.Since(began)
	im.done.Meta = m
	im.done.Tables = c.countTables()
	return nil
}

// next runs the next statement, if there is one.
func (im *importer) next() (more bool, err error) {
	st, err := im.script.Next()
	switch {
	case err == io.EOF:
		return false, nil
	case err == sqltext.ErrLong:
		return false, im.failed(st, tooLong())
	case err != nil:
		return false, unsent(fmt.Sprintf("read the script, from line %d on: %v", im.script.Line(st), err), err)
	case st.Kind == sqltext.Empty:
		return true, nil
	}
	if err := im.statement(st); err != nil {
		return false, im.failed(st, err)
	}
	im.done.Statements++
	im.tell()
	return true, nil
}

// tell reports progress about once a second.
func (im *importer) tell() {
	if im.progress == nil || im.done.Statements%1000 != 0 || time.Since(im.told) < time.Second {
		return
	}
	im.told = time.Now()
	im.progress(fmt.Sprintf("Processed %d queries.", im.done.Statements))
}

// failed says which statement an error is about.
func (im *importer) failed(st sqltext.Statement, err error) error {
	failed := *im.sqlError(err, 0)
	where := fmt.Sprintf("line %d, byte %d", im.script.Line(st), st.Start+st.VerbStart)
	if text := beginning(st.Text[st.VerbStart:]); text != "" {
		where += " (" + text + ")"
	}
	failed.Message = where + ": " + failed.Message
	failed.Statement = int(im.done.Statements)
	return &failed
}

// beginning returns as much of a statement as it takes to recognise it, in one line.
func beginning(text string) string {
	const enough = 60
	short := strings.ToValidUTF8(text[:min(len(text), enough)], "")
	if len(short) < len(strings.TrimSpace(text)) {
		short += "…"
	}
	return strings.Join(strings.Fields(short), " ")
}

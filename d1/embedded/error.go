package embedded

import (
	"errors"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqlitecode"
)

// errNeedsWriter says that a request cannot run on a reader.
var errNeedsWriter = errors.New("the request needs the writer")

// ErrTooLarge is inside the error of a statement for which the database would grow beyond
// [Config.MaxBytes]. The text of that error is the same as for a disk without room.
var ErrTooLarge = errors.New("the database has reached its size limit")

// timeoutMessage is D1's text for a statement that ran too long.
const timeoutMessage = "D1 DB storage operation exceeded timeout which caused object to be reset."

// engineError is an error in D1's words.
func engineError(message string, offset, extended int) *d1.Error {
	return d1.NewError(sqlitecode.Format(message, offset, extended))
}

// sqlError turns an error of the engine into D1's. textLen is the length of the
// text that was compiled, or 0 if the statement was running.
func (c *conn) sqlError(err error, textLen int) *d1.Error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*d1.Error); ok {
		return e
	}
	if errors.Is(err, sqlite3.IOERR) && c.writing && c.db.recorder != nil {
		if fault := c.db.recorder.takeFault(); fault != nil {
			e := d1.NewError(fault.Error())
			e.Err = fault
			return e
		}
	}
	if errors.Is(err, sqlite3.INTERRUPT) {
		if interrupted := c.interrupted(); interrupted != nil {
			return interrupted
		}
	}
	offset := -1
	if e, ok := errors.AsType[*sqlite3.Error](err); ok && e.SQL() != "" && textLen > 0 {
		offset = textLen - len(e.SQL())
	}
	message, code := rawMessage(err), extendedCode(err)
	if message == constraintFailed {
		message, code = unnamedConstraint(code)
	}
	e := engineError(message, offset, code)
	if code == sqlitecode.Full && c.tooLarge() {
		e.Err = ErrTooLarge
	}
	return e
}

// tooLarge reports whether the error SQLITE_FULL means the size limit, and neither a
// disk without room nor a table that has used up its row ids.
func (c *conn) tooLarge() bool {
	if noRoom.Load() != c.noRoom {
		return false
	}
	usedUp := false
	_ = c.own(func() error {
		s, _, err := c.Prepare("SELECT 1 FROM sqlite_sequence WHERE seq = 9223372036854775807")
		if err != nil {
			return err // no table counts its row ids
		}
		defer s.Close()
		usedUp = s.Step()
		return s.Err()
	})
	return !usedUp
}

const constraintFailed = "constraint failed"

// unnamedConstraint puts a constraint whose error names none into D1's words. A trigger
// may raise an error without a text, which the engine's Go error does not tell from
// SQLite's own. All others come from a virtual table, whose inner code D1 does not pass on.
func unnamedConstraint(code int) (string, int) {
	if code == int(sqlite3.CONSTRAINT_TRIGGER) {
		return "", code
	}
	return constraintFailed, int(sqlite3.CONSTRAINT)
}

// interrupted says why the engine was interrupted, or nil if it was not by us.
func (c *conn) interrupted() *d1.Error {
	if c.clock.expired {
		e := d1.NewError(timeoutMessage)
		e.Transient = false
		return e
	}
	select {
	case <-c.clock.closing:
		e := d1.NewError("the database is closed, and did not wait for the request any longer")
		e.Err = d1.ErrClosed
		return e
	default:
	}
	if c.clock.Context == nil {
		return nil
	}
	if err := c.clock.Context.Err(); err != nil {
		e := d1.NewError("the request was given up: " + err.Error())
		e.Err = err
		return e
	}
	return nil
}

func extendedCode(err error) int {
	if e, ok := errors.AsType[*sqlite3.Error](err); ok {
		return int(e.ExtendedCode())
	}
	if code, ok := errors.AsType[sqlite3.ExtendedErrorCode](err); ok {
		return int(code)
	}
	if code, ok := errors.AsType[sqlite3.ErrorCode](err); ok {
		return int(code)
	}
	return sqlitecode.Error
}

// rawMessage is what sqlite3_errmsg says: the engine's Go error puts the meaning of
// the code in front of it.
func rawMessage(err error) string {
	text := err.Error()
	if cause := errors.Unwrap(err); cause != nil {
		text = strings.TrimSuffix(text, ": "+cause.Error()) // it may name files
	}
	meaning := sqlite3.ExtendedErrorCode(extendedCode(err)).Error()
	if rest, ok := strings.CutPrefix(text, meaning+": "); ok {
		return rest
	}
	return strings.TrimPrefix(text, "sqlite3: ")
}

// plainError is an error of the engine without its package's name, for errors that
// are no answer to a statement.
func plainError(err error) error {
	if err == nil {
		return nil
	}
	switch err.(type) {
	case *sqlite3.Error, sqlite3.ErrorCode, sqlite3.ExtendedErrorCode:
		return errors.New(rawMessage(err))
	}
	return err
}

package shell

import (
	"context"
	"errors"
	"fmt"

	"github.com/skylite-go/skylite/d1"
)

func (s *shell) begin(ctx context.Context, _ []string) (err error) {
	if s.tx != nil {
		return errors.New(".begin: a transaction is open already")
	}
	s.tx, err = s.DB.BeginTx(ctx, nil)
	return err
}

func noTx() error {
	return &Error{Err: errors.New("no transaction is open"), Hint: ".begin begins one"}
}

// commit ends the transaction. What could not be committed is over: D1 has undone it.
func (s *shell) commit(ctx context.Context, _ []string) error {
	if s.tx == nil {
		return noTx()
	}
	err := s.tx.Commit(ctx)
	s.tx, s.names = nil, nil
	if d1.Conflict(err) {
		err = &Error{Err: err, Hint: "somebody has changed what the transaction read; nothing of it was written"}
	}
	return err
}

func (s *shell) rollback(context.Context, []string) error {
	if s.tx == nil {
		return noTx()
	}
	err := s.tx.Rollback()
	s.tx, s.names = nil, nil
	return err
}

func (s *shell) bookmark(context.Context, []string) error {
	b := s.session.Bookmark()
	if b == "" {
		return errors.New(".bookmark: no statement of the session has come back with a bookmark; over Cloudflare's API none does")
	}
	_, err := fmt.Fprintln(s.printer.W, b)
	return err
}

func (s *shell) startSession(_ context.Context, args []string) error {
	start := d1.FirstPrimary
	if len(args) > 0 {
		start = d1.Bookmark(args[0])
	}
	if !start.Valid() {
		return fmt.Errorf(".session: %q is no bookmark", args[0])
	}
	s.session = s.DB.WithSession(start)
	return nil
}

package history

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"time"
)

// LostError says that a state is not kept, or no longer.
type LostError struct {
	// Oldest is the time of the oldest state that is kept.
	Oldest time.Time
	// Broken says that the states before were lost when a program that keeps no history
	// changed the database.
	Broken bool
	// Damaged says that they were lost because the log could not be read.
	Damaged bool
	// Expired says that they were kept for as long as they should be.
	Expired bool
}

// Error implements error.
func (e *LostError) Error() string {
	oldest := e.Oldest.Format(time.RFC3339Nano)
	switch {
	case e.Broken:
		return "the states before " + oldest + " are lost: a program that keeps no history changed the database"
	case e.Damaged:
		return "the states before " + oldest + " are lost: the history was damaged"
	case e.Expired:
		return "the state is older than those that are kept; the oldest is of " + oldest
	}
	return "the history of the database begins at " + oldest
}

// errDamaged says that a log cannot be read.
func errDamaged(name string, err error) error {
	return fmt.Errorf("the history is damaged, in %s: %w", name, err)
}

// Find returns the number of the newest state whose number is at most the one given, and
// when the state after it was made: 0 if it is the newest of all.
func (l *Log) Find(number uint64) (found, after uint64, err error) {
	if number >= l.state.Number {
		return l.state.Number, 0, nil
	}
	i := len(l.segments) - 1
	for i >= 0 && l.segments[i].start > number {
		i--
	}
	if i < 0 {
		return 0, 0, l.lost()
	}
	err = l.visit(l.segments[i], func(r *blockReader, _ begin, first block) error {
		found = l.segments[i].start
		for at := first.start; ; {
			b, err := r.next(at)
			if err != nil {
				return err
			}
			state, ok, err := b.state()
			if err != nil {
				return err
			}
			if after = state.Number; ok && after > number {
				return nil
			}
			if ok {
				found = state.Number
			}
			if b.kind == kindNext {
				// The states of the next segment come after the number.
				after = l.segments[i+1].start
				return nil
			}
			at = b.end
		}
	})
	return found, after, err
}

// lost says why there is no older state.
func (l *Log) lost() error {
	e := &LostError{Oldest: State{Number: l.segments[0].start}.Time()}
	err := l.visit(l.segments[0], func(_ *blockReader, b begin, _ block) error {
		e.Broken, e.Damaged, e.Expired = b.reason == reasonBreak, b.reason == reasonDamage, b.reason == reasonFull
		return nil
	})
	return errors.Join(err, e)
}

// visit opens a segment.
func (l *Log) visit(s segment, read func(r *blockReader, b begin, first block) error) error {
	f, err := os.Open(filepath.Join(l.cfg.Dir, s.name))
	if err != nil {
		return err
	}
	defer f.Close()
	r, b, first, err := openSegment(f)
	if err == nil && (b.state.Number != s.start || b.pageSize != l.cfg.PageSize) {
		err = errBlock
	}
	if err == nil {
		err = read(r, b, first)
	}
	if err != nil {
		return errDamaged(s.name, err)
	}
	return nil
}

// Rewind turns an image of the newest state into one of an older state, which [Log.Find]
// has found.
func (l *Log) Rewind(ctx context.Context, to uint64, img *Image) error {
	w := &rewinder{ctx: ctx, img: img, to: to, at: l.state.Number}
	img.Resize(l.state.Pages)
	for i := len(l.segments) - 1; w.at > to; i-- {
		if i < 0 {
			return fmt.Errorf("no state %d: %w", to, l.lost())
		}
		err := l.visit(l.segments[i], func(r *blockReader, b begin, _ block) error {
			end := r.size
			if i == len(l.segments)-1 {
				end = l.end
			}
			return w.segment(r, b, end)
		})
		if err != nil {
			return err
		}
	}
	if w.at != to {
		return fmt.Errorf("no state %d in the history", to)
	}
	return img.flush()
}

// rewinder goes back from state to state.
type rewinder struct {
	ctx context.Context
	img *Image
	to  uint64
	at  uint64 // the state that the image has
}

// segment goes back through a segment.
func (w *rewinder) segment(r *blockReader, first begin, end int64) error {
	for w.at > w.to {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		b, err := r.previous(end)
		if err != nil {
			return err
		}
		end = b.start
		state, ok, err := b.state()
		switch {
		case err != nil:
			return err
		case ok && state.Number != w.at:
			return fmt.Errorf("%w: state %d stands where state %d should be", errBlock, state.Number, w.at)
		case b.kind == kindBegin:
			return w.beginning(first)
		case b.kind == kindCommit:
			if end, err = w.commit(r, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// beginning is reached when all of a segment was turned back.
func (w *rewinder) beginning(b begin) error {
	if b.reason != reasonFull {
		return fmt.Errorf("%w: there are no states before %d", errBlock, w.at)
	}
	return nil
}

// commit turns a commit back. It returns where the blocks begin that belong to it.
func (w *rewinder) commit(r *blockReader, b block) (start int64, err error) {
	entries, tail, err := b.commit()
	if err != nil {
		return 0, err
	}
	wrong := map[uint32]uint32{} // pages that are not yet as they were, and their checksums
	w.img.Resize(max(tail.after.Pages, tail.pages))
	if err := w.entries(entries, wrong); err != nil {
		return 0, err
	}
	start = b.start
	for first := b.start - int64(tail.lead); start > first; {
		b, err := r.previous(start)
		if err != nil {
			return 0, err
		}
		if b.kind != kindPages || b.start < first {
			return 0, errBlock
		}
		if err := w.entries(b.content, wrong); err != nil {
			return 0, err
		}
		start = b.start
	}
	if len(wrong) > 0 {
		return 0, fmt.Errorf("%w: %d pages of state %d are not as they were", errBlock, len(wrong), tail.before)
	}
	w.at = tail.before
	w.img.Resize(tail.pages)
	return start, nil
}

// entries applies the entries of a block.
func (w *rewinder) entries(b []byte, wrong map[uint32]uint32) error {
	for len(b) > 0 {
		e, rest, err := nextEntry(b)
		if err != nil {
			return err
		}
		b = rest
		page, err := w.img.page(e.page)
		if err != nil {
			return err
		}
		if err := e.apply(page); err != nil {
			return err
		}
		delete(wrong, e.page)
		if crc32.Checksum(page, castagnoli) != e.sum {
			wrong[e.page] = e.sum
		}
	}
	return nil
}

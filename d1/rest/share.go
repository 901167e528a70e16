package rest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/inline"
)

// maxSharedAnswer bounds an answer that several share, and that is in memory until the last
// of them has read its part. Whose answer makes it longer goes alone.
const maxSharedAnswer = 4 << 20

// share sends the requests of several in one POST and tells each what becomes of it. It
// calls answered as soon as the POST has been answered.
func (l *lane) share(group []*member, answered func()) {
	group = l.present(group)
	if len(group) < 2 {
		answered()
		l.alone(group)
		return
	}
	p := together(group)
	limit := int64(maxSharedAnswer)
	if p.call.Class == cloudflare.ClassWrite {
		limit = maxWriteAnswer
	}
	ctx, cancel := forAll(group)
	body, resp, err := l.db.exchange(ctx, p, limit)
	cancel()
	answered()
	var parts []stretch
	if err == nil {
		parts, err = l.db.cut(p, body, resp)
	}
	switch {
	case err == nil:
		l.deliver(group, resp, body, parts)
	case errors.Is(err, cloudflare.ErrTooLong) && p.call.Class == cloudflare.ClassRead:
		l.without(l.largest(p, group, body), group)
	case spoiled(err):
		l.split(group)
	default:
		for _, m := range group {
			l.tell(m, answer{err: cloned(err)})
		}
	}
}

// alone lets members send themselves.
func (l *lane) alone(group []*member) {
	for _, m := range group {
		l.tell(m, answer{alone: true})
	}
}

// together returns the plan of a POST for several.
func together(group []*member) *plan {
	n, size := 0, len(batchHead)+len(batchTail)
	for _, m := range group {
		n += len(m.plan.statements)
		size += len(m.plan.elements) + 1
	}
	body := append(make([]byte, 0, size), batchHead...)
	for i, m := range group {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, m.plan.elements...)
	}
	p := &plan{call: group[0].plan.call, statements: make([]inline.Statement, n)}
	p.call.Body = append(body, batchTail...)
	return p
}

// forAll returns a context that ends when those of all members have: the POST is nobody's
// alone. Its deadline is the last of theirs.
func forAll(group []*member) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(group[0].ctx))
	var last time.Time
	bounded := true
	var mu sync.Mutex
	left := len(group)
	stops := make([]func() bool, len(group))
	for i, m := range group {
		at, ok := m.ctx.Deadline()
		bounded = bounded && ok
		if at.After(last) {
			last = at
		}
		stops[i] = context.AfterFunc(m.ctx, func() {
			mu.Lock()
			defer mu.Unlock()
			if left--; left == 0 {
				cancel()
			}
		})
	}
	release := func() {}
	if bounded {
		ctx, release = context.WithDeadline(ctx, last)
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		release()
		cancel()
	}
}

// stretch is where a result stands in an answer.
type stretch struct{ start, end int }

// cut finds the results in a whole answer, one for each statement of the plan.
func (db *DB) cut(p *plan, body []byte, resp *http.Response) ([]stretch, error) {
	c := newCursor(p, db.client, resp)
	c.in = reader{buf: body, w: len(body), mark: -1}
	parts := make([]stretch, 0, len(p.statements))
	if c.head() {
		for c.in.element() {
			start := c.in.r
			c.in.skip()
			if c.in.err == nil {
				parts = append(parts, stretch{start, c.in.r})
				c.index++
			}
		}
		if c.in.err == nil {
			c.tail()
		}
	}
	c.finish()
	return parts, c.err
}

// deliver gives each member the results of its statements.
func (l *lane) deliver(group []*member, resp *http.Response, body []byte, parts []stretch) {
	for _, m := range group {
		n := len(m.plan.statements)
		start, end := parts[0].start, parts[n-1].end
		parts = parts[n:]
		in := reader{buf: body[start:end:end], w: end - start, mark: -1}
		if m.plan.call.Class == cloudflare.ClassWrite {
			results, err := l.db.committed(m.plan, resp, in, between)
			l.tell(m, answer{results: results, err: err})
			continue
		}
		c := newCursor(m.plan, l.db.client, resp)
		c.in, c.state, c.part = in, between, true
		l.tell(m, answer{results: d1.NewResults(c)})
	}
}

// largest returns whose result takes most of an answer that was too long to be read to its
// end.
func (l *lane) largest(p *plan, group []*member, body []byte) *member {
	parts, _ := l.db.cut(p, body, &http.Response{Body: http.NoBody})
	last := 0
	if len(parts) > 0 {
		last = parts[len(parts)-1].end
	}
	parts = append(parts, stretch{last, len(body)})
	at, most := 0, 0
	for i, s := range parts {
		if n := s.end - s.start; n > most {
			at, most = i, n
		}
	}
	for _, m := range group {
		if at -= len(m.plan.statements); at < 0 {
			return m
		}
	}
	return group[len(group)-1]
}

// without lets one member go alone, now and later, and the others together.
func (l *lane) without(one *member, group []*member) {
	for i := range one.plan.statements {
		one.plan.learn(i, true)
	}
	l.alone([]*member{one})
	others := make([]*member, 0, len(group)-1)
	for _, m := range group {
		if m != one {
			others = append(others, m)
		}
	}
	l.share(others, func() {})
}

// spoiled reports whether a POST may have failed because of one of its statements, and so
// that nothing of it was done.
func spoiled(err error) bool {
	e, ok := errors.AsType[*d1.Error](err)
	switch {
	case !ok, e.Outcome != d1.OutcomeRefused:
		return false
	case errors.Is(err, errCount), e.Code != 0:
		return true
	case strings.Contains(e.Message, "has exceeded D1's free tier"):
		return false // as it would be for each of them
	}
	switch e.HTTPStatus {
	case http.StatusOK, http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return true
	}
	// D1 may have been stopped by what one of them does.
	return d1.NewError(e.Message).Transient
}

// split sends the members of a group that failed in smaller ones, at the same time, until
// what fails is alone. Of n members one that fails costs about 4·log₄(n) requests.
func (l *lane) split(group []*member) {
	n := (len(group) + 3) / 4
	for len(group) > 0 {
		part := group[:min(n, len(group))]
		group = group[len(part):]
		go l.share(part, func() {})
	}
}

// cloned returns an error that one member may have to itself.
func cloned(err error) error {
	if e, ok := errors.AsType[*d1.Error](err); ok {
		clone := *e
		return &clone
	}
	return err
}

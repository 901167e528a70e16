package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress tells a person at a terminal how long work is coming along, on one line that is
// written over. Elsewhere it says nothing.
type progress struct {
	w io.Writer // nil if nobody is there

	mu           sync.Mutex
	label, note  string
	count        int64
	unit         string
	began, shown time.Time
}

// progress begins to tell of something. End it, before anything else is printed.
func (a *app) progress(label string) *progress {
	p := &progress{label: label, began: time.Now()}
	if isTerminal(a.stderr) {
		p.w = a.stderr
	}
	return p
}

// say shows what a place says of its work.
func (p *progress) say(note string) { p.update(func() { p.note = note }) }

// rows counts rows.
func (p *progress) rows(n int64) { p.update(func() { p.count, p.unit = p.count+n, "rows" }) }

func (p *progress) bytes(n int) { p.update(func() { p.count, p.unit = p.count+int64(n), "bytes" }) }

func (p *progress) update(change func()) {
	if p.w == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	if now := time.Now(); now.Sub(p.shown) > 100*time.Millisecond {
		p.shown = now
		fmt.Fprintf(p.w, "\r\x1b[K%s%s", p.label, p.state(now))
	}
}

func (p *progress) state(now time.Time) string {
	rate := int64(float64(p.count) / max(now.Sub(p.began).Seconds(), 0.1))
	state := ""
	switch p.unit {
	case "bytes":
		state = fmt.Sprintf(": %s, %s/s", byteSize(p.count), byteSize(rate))
	case "rows":
		state = fmt.Sprintf(": %d rows, %d rows/s", p.count, rate)
	}
	if p.note != "" {
		state += " (" + p.note + ")"
	}
	return state
}

// end takes the line away.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.w != nil && !p.shown.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	p.w = nil
}

// writer counts the bytes that go through it.
func (p *progress) writer(w io.Writer) io.Writer { return progressWriter{w, p} }

type progressWriter struct {
	io.Writer
	p *progress
}

func (w progressWriter) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	w.p.bytes(n)
	return n, err
}

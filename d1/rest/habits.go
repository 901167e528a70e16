package rest

import (
	"sync"
	"sync/atomic"
	"time"
)

// From here on a statement is better off alone: it would hold up those that share its POST,
// or fill the memory that they share.
const (
	longAnswer  = 64 << 10
	slowAnswer  = 50 * time.Millisecond
	maxRemember = 256
)

// verdict is how a statement did when it last ran.
type verdict uint8

const (
	well   verdict = iota
	failed         // with an error of SQLite's
	heavy          // its answer was long or slow
)

// habits remembers the statements, by the caller's text, that did badly when they last ran.
// They go alone until they do better.
type habits struct {
	any   atomic.Bool
	mu    sync.Mutex
	texts map[string]verdict
}

// apart reports whether a statement goes alone.
func (h *habits) apart(text string) bool {
	if !h.any.Load() {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.texts[text] != well
}

// learn says how a statement did. Of too many that did badly one is forgotten.
func (h *habits) learn(text string, v verdict) {
	if v == well && !h.any.Load() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if v == well {
		delete(h.texts, text)
		h.any.Store(len(h.texts) > 0)
		return
	}
	if h.texts == nil {
		h.texts = make(map[string]verdict)
	}
	for old := range h.texts {
		if len(h.texts) < maxRemember {
			break
		}
		delete(h.texts, old)
	}
	h.texts[text] = v
	h.any.Store(true)
}

// began says that a statement did not fail, though nobody waited for the end of its answer.
func (h *habits) began(text string) {
	if !h.any.Load() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.texts[text] == failed {
		delete(h.texts, text)
		h.any.Store(len(h.texts) > 0)
	}
}

// learn says how the plan's ith statement did.
func (p *plan) learn(i int, v verdict) {
	if p.habits != nil {
		p.habits.learn(p.statements[i].Text(), v)
	}
}

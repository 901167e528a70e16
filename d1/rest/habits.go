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

// habits remembers the statements, by the caller's text, that had a long or slow answer or
// failed when they last ran. They go alone until they do better.
type habits struct {
	any   atomic.Bool
	mu    sync.Mutex
	texts map[string]bool
}

// apart reports whether a statement goes alone.
func (h *habits) apart(text string) bool {
	if !h.any.Load() {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.texts[text]
}

// learn says how a statement did. Of too many that do badly one is forgotten.
func (h *habits) learn(text string, badly bool) {
	if !badly && !h.any.Load() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !badly {
		delete(h.texts, text)
		h.any.Store(len(h.texts) > 0)
		return
	}
	if h.texts == nil {
		h.texts = make(map[string]bool)
	}
	for old := range h.texts {
		if len(h.texts) < maxRemember {
			break
		}
		delete(h.texts, old)
	}
	h.texts[text] = true
	h.any.Store(true)
}

// learn says how the plan's ith statement did.
func (p *plan) learn(i int, badly bool) {
	if p.habits != nil {
		p.habits.learn(p.statements[i].Text(), badly)
	}
}

//go:build unix

package ond1_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
	"github.com/skylite-go/skylite/internal/killtest"
	"github.com/skylite-go/skylite/memory"
	"github.com/skylite-go/skylite/memory/ond1"
)

// TestMain lets the test be the process that is killed.
func TestMain(m *testing.M) {
	killtest.Child(saveMessages)
	os.Exit(m.Run())
}

const (
	savers  = 3
	perCall = 20 // messages in a call
)

// saveMessages saves messages in several threads, and makes a line of each call.
func saveMessages(path string, done func(line string)) error {
	backend, err := embedded.Open(embedded.Config{Path: path})
	if err != nil {
		return err
	}
	s, err := ond1.New(d1.New(backend), ond1.Config{Large: ond1.LargeChunk})
	if err != nil {
		return err
	}
	ends := make(chan error)
	for who := range savers {
		go func() { ends <- saveIn(s, who, done) }()
	}
	return <-ends
}

func saveIn(s *ond1.Store, who int, done func(line string)) error {
	ctx, thread := context.Background(), fmt.Sprint("t", who)
	if _, err := s.SaveThread(ctx, memory.Thread{ID: thread, ResourceID: "r"}); err != nil {
		return err
	}
	page, err := s.ListMessages(ctx, memory.MessageQuery{ThreadIDs: []string{thread}, PerPage: memory.All})
	if err != nil {
		return err
	}
	for call := len(page.Messages) / perCall; ; call++ {
		messages := many(thread, call*perCall, perCall)
		if call%20 == 19 {
			// One of them is in chunks, so that a call writes to several tables.
			messages[0].Content = []byte(`"` + strings.Repeat("x", 2_500_000) + `"`)
		}
		if _, err := s.SaveMessages(ctx, messages); err != nil {
			return err
		}
		done(fmt.Sprint(who, " ", call+1))
	}
}

// TestKills kills a process in the middle of saving: of each call all is there, or nothing,
// and what was acknowledged is there.
func TestKills(t *testing.T) {
	t.Parallel()
	killtest.Run(t, func(t *testing.T, path string, lines []string) {
		db := database(t, path)
		s := open(t, db, ond1.Config{})
		var acknowledged [savers]int
		for _, line := range lines {
			var who, calls int
			if _, err := fmt.Sscan(line, &who, &calls); err != nil {
				t.Fatal(err)
			}
			acknowledged[who] = max(acknowledged[who], calls)
		}
		for who, calls := range acknowledged {
			if calls == 0 {
				continue // perhaps there is no thread yet
			}
			page, err := s.ListMessages(t.Context(), memory.MessageQuery{ThreadIDs: []string{fmt.Sprint("t", who)}, PerPage: memory.All})
			if err != nil {
				t.Fatal(err) // chunks that are missing are an error too
			}
			n := len(page.Messages)
			if n%perCall != 0 || n < calls*perCall {
				t.Errorf("%d messages are there; %d calls of %d were acknowledged", n, calls, perCall)
			}
		}
		if got, err := d1.First[string](t.Context(), db, "PRAGMA quick_check"); err != nil || got != "ok" {
			t.Errorf("quick_check: %s, %v", got, err)
		}
	})
}

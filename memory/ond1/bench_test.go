//go:build !js

package ond1_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/skylite-go/skylite/memory"
	"github.com/skylite-go/skylite/memory/ond1"
)

// benchStore is a store with a thread of n messages.
func benchStore(b *testing.B, n int) *ond1.Store {
	b.Helper()
	s := open(b, database(b, filepath.Join(b.TempDir(), "bench.db")), ond1.Config{})
	if _, err := s.SaveThread(b.Context(), memory.Thread{ID: "t", ResourceID: "r"}); err != nil {
		b.Fatal(err)
	}
	for i := 0; i < n; i += 10_000 {
		if _, err := s.SaveMessages(b.Context(), many("t", i, min(10_000, n-i))); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	return s
}

func BenchmarkSaveMessages(b *testing.B) {
	for _, n := range []int{1, 20, 200} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := benchStore(b, 0)
			for i := 0; b.Loop(); i++ {
				if _, err := s.SaveMessages(b.Context(), many("t", i*n, n)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLast20(b *testing.B) {
	for _, n := range []int{100, 100_000} {
		b.Run(fmt.Sprint("of ", n), func(b *testing.B) {
			s := benchStore(b, n)
			for b.Loop() {
				if messages, err := memory.Last(b.Context(), s, "t", 20); err != nil || len(messages) != 20 {
					b.Fatal(len(messages), err)
				}
			}
		})
	}
}

func BenchmarkListPage(b *testing.B) {
	s := benchStore(b, 100_000)
	for b.Loop() {
		if _, err := s.ListMessages(b.Context(), memory.MessageQuery{ThreadIDs: []string{"t"}}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInclude(b *testing.B) {
	s := benchStore(b, 100_000)
	var include []memory.Include
	for i := range 10 {
		include = append(include, memory.Include{ID: fmt.Sprintf("t-%07d", i*9000), Previous: 2, Next: 2})
	}
	for b.Loop() {
		page, err := s.ListMessages(b.Context(), memory.MessageQuery{ThreadIDs: []string{"t"}, PerPage: memory.None, Include: include})
		if err != nil || len(page.Messages) != 48 {
			b.Fatal(len(page.Messages), err)
		}
	}
}

func BenchmarkGetThread(b *testing.B) {
	s := benchStore(b, 0)
	for b.Loop() {
		if _, err := s.GetThread(b.Context(), "t"); err != nil {
			b.Fatal(err)
		}
	}
}

package ond1_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/kv/ond1"
)

// filled is a namespace in a file with 20,000 keys.
func filled(b *testing.B) *ond1.Namespace {
	ns := open(b, database(b, filepath.Join(b.TempDir(), "bench.db")), ond1.Config{})
	for i := range 20 {
		writes := make([]kv.Write, 1000)
		for j := range writes {
			writes[j] = kv.Write{Key: fmt.Sprintf("user:%06d", i*1000+j), Value: []byte(strings.Repeat("v", 100))}
		}
		if err := ns.Batch(b.Context(), writes); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	return ns
}

func BenchmarkGet(b *testing.B) {
	ns := filled(b)
	for i := range b.N {
		if _, err := ns.Get(b.Context(), fmt.Sprintf("user:%06d", i*7%20_000)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGetParallel(b *testing.B) {
	ns := filled(b)
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, err := ns.Get(b.Context(), fmt.Sprintf("user:%06d", i*7%20_000)); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkPut(b *testing.B) {
	for _, size := range []int{100, 10_000} {
		b.Run(fmt.Sprint(size, " bytes"), func(b *testing.B) {
			ns := filled(b)
			value := []byte(strings.Repeat("v", size))
			for i := range b.N {
				if err := ns.Put(b.Context(), fmt.Sprintf("user:%06d", i*7%20_000), value, kv.PutOptions{TTL: time.Hour}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkGetMany(b *testing.B) {
	ns := filled(b)
	keys := make([]string, 100)
	for i := range b.N {
		for j := range keys {
			keys[j] = fmt.Sprintf("user:%06d", (i*100+j)*7%20_000)
		}
		if _, err := ns.GetMany(b.Context(), keys); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkList(b *testing.B) {
	ns := filled(b)
	cursor := ""
	for range b.N {
		page, err := ns.List(b.Context(), kv.ListOptions{Cursor: cursor})
		if err != nil || len(page.Keys) != 1000 {
			b.Fatal(len(page.Keys), err)
		}
		cursor = page.Cursor
	}
}

func BenchmarkAdd(b *testing.B) {
	ns := filled(b)
	for range b.N {
		if _, err := ns.Add(b.Context(), "n", 1, kv.PutOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

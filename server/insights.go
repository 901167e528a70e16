package server

import (
	"container/list"
	"sync"
	"time"

	"github.com/skylite-go/skylite/d1"
)

// insights counts what queries have done, in hours, of the queries that were run last.
type insights struct {
	mu     sync.Mutex
	recent list.List // of *figures, the last one first
	byKey  map[figuresKey]*list.Element
}

type figuresKey struct {
	database, query string // query is "" for all of a database
	hour            int64
}

// figures are those of one query, or of all of a database, in an hour.
type figures struct {
	key                              figuresKey
	count, reads, writes             int64 // queries
	rowsRead, rowsWritten, rowsGiven int64
	duration                         time.Duration
}

// There are as many figures as a busy day makes. Of long texts the beginning counts.
const (
	maxFigures   = 5000
	maxQueryText = 4096
)

// record counts a statement that has run.
func (in *insights) record(database, query string, rows int64, meta d1.Meta, now time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	hour := now.Truncate(time.Hour).Unix()
	for _, text := range []string{"", query[:min(len(query), maxQueryText)]} {
		f := in.of(figuresKey{database, text, hour})
		f.count++
		if meta.RowsWritten > 0 || meta.ChangedDB {
			f.writes++
		} else {
			f.reads++
		}
		f.rowsRead += meta.RowsRead
		f.rowsWritten += meta.RowsWritten
		f.rowsGiven += rows
		f.duration += meta.Duration
	}
}

// of returns the figures of a key, and makes room for them if they are new. The caller
// holds the lock.
func (in *insights) of(key figuresKey) *figures {
	if e, ok := in.byKey[key]; ok {
		in.recent.MoveToFront(e)
		return e.Value.(*figures)
	}
	if in.recent.Len() >= maxFigures {
		oldest := in.recent.Back()
		delete(in.byKey, oldest.Value.(*figures).key)
		in.recent.Remove(oldest)
	}
	if in.byKey == nil {
		in.byKey = make(map[figuresKey]*list.Element)
	}
	f := &figures{key: key}
	in.byKey[key] = in.recent.PushFront(f)
	return f
}

// sums returns the figures that are wanted, those of one key added up.
func (in *insights) sums(want func(figuresKey) bool, group func(figuresKey) figuresKey) []figures {
	in.mu.Lock()
	defer in.mu.Unlock()
	at := map[figuresKey]int{}
	var sums []figures
	for e := in.recent.Back(); e != nil; e = e.Prev() {
		f := e.Value.(*figures)
		if !want(f.key) {
			continue
		}
		key := group(f.key)
		i, ok := at[key]
		if !ok {
			i = len(sums)
			at[key] = i
			sums = append(sums, figures{key: key})
		}
		sum := &sums[i]
		sum.count += f.count
		sum.reads += f.reads
		sum.writes += f.writes
		sum.rowsRead += f.rowsRead
		sum.rowsWritten += f.rowsWritten
		sum.rowsGiven += f.rowsGiven
		sum.duration += f.duration
	}
	return sums
}

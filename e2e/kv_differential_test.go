package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/kv/ond1"
)

// kvOp is an operation on a namespace. After is an absolute expiry, in seconds from the time
// of the operation. Next asks a list for the page behind the last one.
type kvOp struct {
	Op       string          `json:"op"`
	Key      string          `json:"key"`
	Keys     []string        `json:"keys"`
	Value    []byte          `json:"value,omitempty"`
	TTL      int             `json:"ttl,omitempty"`
	After    int64           `json:"after,omitempty"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
	Prefix   string          `json:"prefix,omitempty"`
	Limit    int             `json:"limit,omitempty"`
	Next     bool            `json:"next,omitempty"`
}

// kvAnswer is what an operation gave.
type kvAnswer struct {
	Value    *[]byte
	Metadata any
	Entries  map[string]*kvAnswer
	Keys     []kvKey
	Complete bool
	Cursor   string
	Error    string
	Now      int64 // when it was done
}

type kvKey struct {
	Name       string
	Expiration int64
	Metadata   any
}

// kvKeys is small, so that operations meet.
var kvKeys = []string{
	"a", "a", "a", "b", "b", "ab", "aa", "A", "key_1", "key%2", "k/e?y#", "ключ", "é", "e\u0301", "\x00", "a\x00b", "😀", "\uFFFD", "\uFEFFm",
	"a\U0010FFFF", "1", "01", "__proto__", "...", "", ".", "..", strings.Repeat("x", 512), strings.Repeat("x", 513),
}

var kvMetadata = []string{`"m"`, `1`, `0`, `false`, `null`, `{}`, `[]`, `{"a":[1,{"b":null}]}`, `"ключ <&>"`,
	`"` + strings.Repeat("x", 1022) + `"`, `"` + strings.Repeat("x", 1023) + `"`}

// kvSequence makes a sequence from a seed.
func kvSequence(seed uint64) []kvOp {
	r := rand.New(rand.NewPCG(seed, 2))
	key := func() string { return kvKeys[r.IntN(len(kvKeys))] }
	ops := make([]kvOp, 8+r.IntN(16))
	for i := range ops {
		op := kvOp{Key: key()}
		switch r.IntN(12) {
		case 0, 1, 2, 3, 4:
			op.Op = "put"
			op.put(r)
		case 5:
			op.Op = "get"
		case 6:
			op.Op = "getWithMetadata"
		case 7:
			op.Op = []string{"many", "manyWithMetadata"}[r.IntN(2)]
			op.Keys = []string{}
			for range r.IntN(5) {
				op.Keys = append(op.Keys, key())
			}
			if r.IntN(30) == 0 {
				op.Keys = slices.Repeat([]string{"a"}, 101)
			}
		case 8:
			op.Op = "delete"
		default:
			op.Op = "list"
			// None has a NUL: miniflare compares with length() and substr(), which stop there.
			op.Prefix = []string{"", "", "", "a", "key", "key_", "k", "%", "ab", "é", "x", "1", strings.Repeat("x", 513)}[r.IntN(13)]
			op.Limit = []int{0, 0, 1, 2, 3, 1000, 1001}[r.IntN(7)]
			op.Next = r.IntN(3) == 0
		}
		ops[i] = op
	}
	return ops
}

func (op *kvOp) put(r *rand.Rand) {
	switch r.IntN(6) {
	case 0:
	case 1:
		op.Value = []byte{0, 255, 128, byte(r.IntN(256))}
	case 2:
		op.Value = []byte(strings.Repeat("long ", 100+r.IntN(300)))
	default:
		op.Value = []byte("value " + strconv.Itoa(r.IntN(1000)))
	}
	if r.IntN(2) == 0 {
		op.Metadata = json.RawMessage(kvMetadata[r.IntN(len(kvMetadata))])
	}
	switch r.IntN(8) {
	case 0:
		op.TTL = []int{-1, 1, 59, 60, 61, 3600, 1 << 30}[r.IntN(7)]
	case 1:
		op.After = []int64{-100, 30, 54, 65, 100, 100_000, 200_000_000}[r.IntN(7)]
	}
}

// TestKVAgreesWithMiniflare runs random sequences of operations on miniflare's KV and on
// ond1 and compares everything that they give. SKYLITE_KV_SEQUENCES says how many.
func TestKVAgreesWithMiniflare(t *testing.T) {
	needNPM(t)
	t.Parallel()
	n := 100
	if text := os.Getenv("SKYLITE_KV_SEQUENCES"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	const atOnce = 250 // for one run of Node
	operations := 0
	for first := 0; first < n; first += atOnce {
		operations += compareKV(t, uint64(first), min(atOnce, n-first))
	}
	t.Logf("%d operations in %d sequences", operations, n)
}

// compareKV compares n sequences, and returns how many operations they have.
func compareKV(t *testing.T, seed uint64, n int) (operations int) {
	c := serveFiles(t).client(t)
	sequences := make([][]kvOp, n)
	for i := range sequences {
		sequences[i] = kvSequence(seed + uint64(i))
	}
	file := filepath.Join(c.dir, "sequences.json")
	if err := os.WriteFile(file, []byte(encode(t, sequences)), 0o600); err != nil {
		t.Fatal(err)
	}
	var answers [][]kvAnswer
	printed(t, c.node(t, "oracle/kv.mjs", file).ok(t), &answers)
	if len(answers) != n {
		t.Fatalf("%d answers", len(answers))
	}
	backend, err := embedded.Open(embedded.Config{})
	if err != nil {
		t.Fatal(err)
	}
	db := d1.New(backend)
	defer db.Close()
	var now time.Time
	for i, ops := range sequences {
		ns, err := ond1.New(db, ond1.Config{Namespace: fmt.Sprint(i), Table: ond1.Table{Name: "kv"},
			Strict: true, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		cursor := ""
		for j, op := range ops {
			operations++
			want := answers[i][j]
			now = time.Unix(want.Now, 0)
			got := op.run(t, ns, &cursor, now)
			got.Now = want.Now
			op.normalize(&got, &want)
			if !cmp.Equal(got, want) {
				t.Errorf("sequence %d, operation %d, %s: %s", seed+uint64(i), j, clip(encode(t, op)), clip(cmp.Diff(want, got)))
			}
		}
		if err := ns.Close(); err != nil {
			t.Error(err)
		}
	}
	return operations
}

// run does an operation on a namespace.
func (op kvOp) run(t *testing.T, ns kv.Namespace, cursor *string, now time.Time) (answer kvAnswer) {
	ctx := t.Context()
	var err error
	switch op.Op {
	case "put":
		opts := kv.PutOptions{TTL: time.Duration(op.TTL) * time.Second}
		if op.After != 0 {
			opts.Expiration = now.Add(time.Duration(op.After) * time.Second)
		}
		if op.Metadata != nil {
			opts.Metadata = op.Metadata
		}
		err = ns.Put(ctx, op.Key, op.Value, opts)
	case "get":
		var value []byte
		if value, err = ns.Get(ctx, op.Key); err == nil {
			answer.Value = &value
		}
	case "getWithMetadata":
		var entry kv.Entry
		if entry, err = ns.GetWithMetadata(ctx, op.Key); err == nil {
			answer = *answerOf(t, entry)
		}
	case "many", "manyWithMetadata":
		var entries map[string]*kv.Entry
		if entries, err = ns.GetManyWithMetadata(ctx, op.Keys); err == nil {
			answer.Entries = map[string]*kvAnswer{}
		}
		for key, entry := range entries {
			answer.Entries[key] = nil
			if entry != nil {
				answer.Entries[key] = answerOf(t, *entry)
			}
			if entry != nil && op.Op == "many" {
				answer.Entries[key].Metadata = nil
			}
		}
	case "delete":
		err = ns.Delete(ctx, op.Key)
	case "list":
		opts := kv.ListOptions{Prefix: op.Prefix, Limit: op.Limit}
		if op.Next {
			opts.Cursor = *cursor
		}
		var page kv.Page
		if page, err = ns.List(ctx, opts); err != nil {
			break
		}
		*cursor = page.Cursor
		answer.Complete, answer.Cursor = page.Complete, page.Cursor
		for _, key := range page.Keys {
			answer.Keys = append(answer.Keys, kvKey{Name: key.Name, Expiration: kv.Seconds(key.Expiration), Metadata: anyOf(t, key.Metadata)})
		}
	}
	if e, ok := errors.AsType[*kv.Error](err); ok && !errors.Is(err, kv.ErrNotFound) {
		answer.Error = fmt.Sprintf("%d %s", e.Status, e.Message)
	} else if err != nil && !ok {
		t.Error(err)
	}
	return answer
}

func answerOf(t *testing.T, entry kv.Entry) *kvAnswer {
	return &kvAnswer{Value: &entry.Value, Metadata: anyOf(t, entry.Metadata)}
}

func anyOf(t *testing.T, metadata json.RawMessage) any {
	t.Helper()
	value, err := kv.DecodeMetadata[any](metadata)
	if err != nil {
		t.Error(err)
	}
	return value
}

// normalize takes out what may differ, and why.
func (op kvOp) normalize(got, want *kvAnswer) {
	// The runtime checks some keys itself, in words of its own; ond1 has the service's.
	for own, text := range map[string]string{
		"Key name cannot be empty.":          "400 Key names must not be empty",
		`"." is not allowed as a key name.`:  `400 Illegal key name ".". Please use a different name.`,
		`".." is not allowed as a key name.`: `400 Illegal key name "..". Please use a different name.`,
	} {
		if want.Error == own {
			want.Error = text
		}
	}
	// Errors begin with the method, and a list's say GET.
	if _, text, ok := strings.Cut(want.Error, " failed: "); ok && strings.HasPrefix(want.Error, "KV ") {
		want.Error = text
	}
	if got.Error != "" && want.Error != "" && op.Op == "put" && refusedTwice(op) {
		want.Error = got.Error // of two faults either may be told
	}
	for key, entry := range got.Entries {
		_, there := want.Entries[key]
		switch {
		case !there && (isIndex(key) || key == "__proto__"):
			delete(got.Entries, key) // lost in a JavaScript object: numbers of an array, and this
		case entry != nil && !utf8.Valid(*entry.Value):
			delete(got.Entries, key) // many values are read as texts
			delete(want.Entries, key)
		}
	}
	for i := range min(len(got.Keys), len(want.Keys)) {
		// The service reads its clock a moment after the Worker.
		if d := got.Keys[i].Expiration - want.Keys[i].Expiration; d > -5 && d < 5 && want.Keys[i].Expiration > 0 {
			got.Keys[i].Expiration = want.Keys[i].Expiration
		}
	}
	if len(want.Keys) == 0 {
		want.Keys = nil
	}
	if reflect.DeepEqual(want.Metadata, nil) {
		want.Metadata = nil
	}
}

func refusedTwice(op kvOp) bool {
	n := 0
	if op.Key == "" || op.Key == "." || op.Key == ".." || len(op.Key) > kv.MaxKeyBytes {
		n++
	}
	if op.TTL != 0 && op.TTL < 60 {
		n++
	}
	if op.After != 0 && op.After < 60 {
		n++
	}
	if len(op.Metadata) > kv.MaxMetadataBytes {
		n++
	}
	return n > 1
}

func isIndex(key string) bool {
	n, err := strconv.ParseUint(key, 10, 32)
	return err == nil && strconv.FormatUint(n, 10) == key
}

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/rest"
	"github.com/skylite-go/skylite/memory"
	"github.com/skylite-go/skylite/memory/memorytest"
	"github.com/skylite-go/skylite/memory/ond1"
)

// mastra is a process with Mastra's D1Store, on the databases of a server.
type mastra struct {
	*fixture
	mu    sync.Mutex
	stdin io.WriteCloser
	lines *bufio.Reader
	log   lockedBuffer
}

func startMastra(t *testing.T, f *fixture) *mastra {
	t.Helper()
	c := f.client(t)
	cmd := exec.Command(localPath(t, "node_modules/.bin/node"), localPath(t, "mastra/store.mjs"))
	m := &mastra{fixture: f}
	cmd.Dir, cmd.Env, cmd.Stderr, cmd.WaitDelay = c.dir, c.environ(), &m.log, 5*time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if m.stdin, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		m.stdin.Close() // and it ends
		_ = cmd.Wait()
	})
	m.lines = bufio.NewReader(out)
	return m
}

// do lets Mastra do something on a database.
func (m *mastra) do(t *testing.T, database, action string, in any, out any) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	fmt.Fprintln(m.stdin, encode(t, map[string]any{"database": database, "action": action, "input": in}))
	line, err := m.lines.ReadBytes('\n')
	var reply struct {
		Answer json.RawMessage
		Error  string
	}
	if err == nil {
		err = json.Unmarshal(line, &reply)
	}
	if err != nil || reply.Error != "" {
		t.Fatalf("mastra %s: %v\n%s\n%s%s", action, err, reply.Error, line, &m.log)
	}
	if out != nil {
		if err := json.Unmarshal(reply.Answer, out); err != nil {
			t.Fatalf("mastra %s: %v: %s", action, err, reply.Answer)
		}
	}
}

// needMastra is for tests of Mastra, which is installed in a folder of its own.
func needMastra(t testing.TB) {
	t.Helper()
	needNPM(t)
	_, err := os.Stat("mastra/node_modules/@mastra/cloudflare-d1")
	need(t, err == nil, "mastra/node_modules is missing: run npm ci --ignore-scripts in e2e/mastra")
}

// mastraMessage is a message as Mastra shows it.
type mastraMessage struct {
	ID         string          `json:"id"`
	ThreadID   string          `json:"threadId"`
	ResourceID string          `json:"resourceId"`
	Role       string          `json:"role"`
	Type       string          `json:"type,omitempty"`
	CreatedAt  time.Time       `json:"createdAt"`
	Content    json.RawMessage `json:"content"`
}

type mastraPage struct {
	Messages []mastraMessage
	Threads  []memory.Thread
	Total    int
	HasMore  bool
}

type mastraAnswer struct {
	Threads   map[string]*memory.Thread
	Messages  map[string]mastraPage
	Resources map[string]*struct {
		ID                   string
		WorkingMemory        any
		Metadata             any
		CreatedAt, UpdatedAt time.Time
	}
	Listed, Included mastraPage
}

func (f *fixture) store(t *testing.T, id string) (*d1.DB, *ond1.Store) {
	t.Helper()
	backend, err := rest.Open(rest.Config{API: cloudflare.Config{BaseURL: f.base, APIToken: token}, AccountID: account, DatabaseID: id})
	if err != nil {
		t.Fatal(err)
	}
	db := d1.New(backend)
	t.Cleanup(func() { _ = db.Close() })
	s, err := ond1.New(db, ond1.Config{Layout: ond1.LayoutMastra, TablePrefix: "app_"})
	if err != nil {
		t.Fatal(err)
	}
	return db, s
}

func schema(t *testing.T, db *d1.DB) []string {
	t.Helper()
	all, err := d1.All[string](t.Context(), db, "SELECT name || ': ' || coalesce(sql, '') FROM sqlite_master WHERE tbl_name IN "+
		"('app_mastra_threads', 'app_mastra_messages', 'app_mastra_resources') ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// conversation is what each side writes and the other reads.
func conversation(side string) (memory.Thread, []memory.Message, memory.Metadata) {
	at := func(n int) time.Time { return time.Date(2026, 5, 6, 7, 8, n, 90_000_000, time.UTC) }
	thread := memory.Thread{ID: "thread-" + side, ResourceID: "user-7", Title: `It's "5" 🎉`, CreatedAt: at(0), UpdatedAt: at(1),
		Metadata: memory.Object{"list": []any{1.5, nil, map[string]any{"a": "b"}}, "category": "support"}}
	contents := []string{
		`{"format":2,"parts":[{"type":"text","text":"What is 2+2? é"}],"content":"What is 2+2? é","metadata":{"topic":"math"}}`,
		`{"format":2,"parts":[{"type":"step-start"},{"type":"tool-invocation","toolInvocation":{"state":"result","toolCallId":"c1","toolName":"calc","args":{"a":2,"b":2},"result":4},"providerMetadata":{"mastra":{"tokenEstimate":3}}}]}`,
		`{"format":2,"parts":[{"type":"reasoning","reasoning":"","details":[{"type":"text","text":"hm"}]},{"type":"text","text":"4"}],"content":"{\"json\":[1]}"}`,
		`{"format":2,"parts":[{"type":"file","data":"aGVsbG8=","mimeType":"text/plain"}]}`,
	}
	var messages []memory.Message
	for i, content := range contents {
		messages = append(messages, memory.Message{ID: fmt.Sprintf("%s-%d", side, i), ThreadID: thread.ID, ResourceID: "user-7",
			Role: []string{"user", "assistant"}[i%2], CreatedAt: at(10 + i), Content: json.RawMessage(content)})
	}
	return thread, messages, memory.Metadata{ResourceID: "user-" + side, WorkingMemory: "# Profile\n- name: Ada", Metadata: memory.Object{"x": 1.0},
		CreatedAt: at(2), UpdatedAt: at(3)}
}

// TestMastra shares a database between Mastra's D1Store and ours: each reads what the
// other has written, and each finds its own schema in the other's.
func TestMastra(t *testing.T) {
	needMastra(t)
	t.Parallel()
	f := startMastra(t, serveFiles(t))
	for _, first := range []string{"mastra", "go"} {
		t.Run(first+" begins", func(t *testing.T) {
			id := f.create(t, "memory-"+first)
			db, s := f.store(t, id)
			ctx := t.Context()
			if first == "go" {
				if err := s.Init(ctx); err != nil {
					t.Fatal(err)
				}
				before := schema(t, db)
				f.do(t, id, "init", nil, nil)
				if diff := cmp.Diff(before, schema(t, db)); diff != "" {
					t.Errorf("Mastra has changed our tables: %s", diff)
				}
			} else {
				f.do(t, id, "init", nil, nil)
			}
			f.writes(t, id, s)
			f.reads(t, id, s)
		})
	}
}

// writes lets Mastra write a conversation, and reads it with ours.
func (f *mastra) writes(t *testing.T, id string, s *ond1.Store) {
	t.Helper()
	ctx := t.Context()
	thread, messages, metadata := conversation("mastra")
	f.do(t, id, "write", map[string]any{"threads": []any{thread}, "messages": messages, "resources": []any{map[string]any{
		"id": metadata.ResourceID, "workingMemory": metadata.WorkingMemory, "metadata": metadata.Metadata,
		"createdAt": metadata.CreatedAt, "updatedAt": metadata.UpdatedAt}}}, nil)
	got, err := s.GetThread(ctx, thread.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !got.UpdatedAt.After(thread.UpdatedAt) { // saveMessages has moved it
		t.Errorf("updatedAt %v", got.UpdatedAt)
	}
	got.UpdatedAt = thread.UpdatedAt
	if diff := cmp.Diff(thread, got); diff != "" {
		t.Error(diff)
	}
	page, err := s.ListMessages(ctx, memory.MessageQuery{ThreadIDs: []string{thread.ID}, Metadata: memory.Object{"topic": "math"}})
	if err != nil || len(page.Messages) != 1 {
		t.Errorf("filtered: %d messages, error %v", len(page.Messages), err)
	}
	if page, err = s.ListMessages(ctx, memory.MessageQuery{ThreadIDs: []string{thread.ID}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(messages, page.Messages); diff != "" { // to the byte
		t.Error(diff)
	}
	remembered, err := s.GetMetadata(ctx, metadata.ResourceID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(metadata, remembered); diff != "" {
		t.Error(diff)
	}
}

// reads writes a conversation with ours, and lets Mastra read it, change it, and
// reads it again.
func (f *mastra) reads(t *testing.T, id string, s *ond1.Store) {
	t.Helper()
	ctx := t.Context()
	thread, messages, metadata := conversation("go")
	if _, err := s.SaveThread(ctx, thread); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SaveMessages(ctx, messages); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SaveMetadata(ctx, metadata); err != nil {
		t.Fatal(err)
	}
	stored, err := s.GetThread(ctx, thread.ID)
	if err != nil {
		t.Fatal(err)
	}
	var answer mastraAnswer
	f.do(t, id, "read", map[string]any{"threads": []string{thread.ID, "nobody"}, "resources": []string{metadata.ResourceID, "nobody"},
		"resourceThreads": "user-7", "include": map[string]any{"threadId": thread.ID, "perPage": 1,
			"include": []any{map[string]any{"id": "go-2", "withPreviousMessages": 1}}}}, &answer)
	if diff := cmp.Diff(&stored, answer.Threads[thread.ID]); diff != "" {
		t.Error(diff)
	}
	if answer.Threads["nobody"] != nil || answer.Resources["nobody"] != nil {
		t.Errorf("%+v", answer)
	}
	var want []mastraMessage
	for _, m := range messages {
		want = append(want, mastraMessage(m))
	}
	if page := answer.Messages[thread.ID]; page.Total != len(messages) || page.HasMore || !cmp.Equal(want, page.Messages) {
		t.Errorf("total %d, hasMore %v: %s", page.Total, page.HasMore, cmp.Diff(want, page.Messages))
	}
	if r := answer.Resources[metadata.ResourceID]; r == nil || r.WorkingMemory != metadata.WorkingMemory || !r.CreatedAt.Equal(metadata.CreatedAt) ||
		!cmp.Equal(r.Metadata, any(map[string]any{"x": 1.0})) {
		t.Errorf("resource %+v", r)
	}
	if answer.Listed.Total != 2 || len(answer.Listed.Threads) != 2 {
		t.Errorf("listed %+v", answer.Listed)
	}
	if got := answer.Included.Messages; len(got) != 3 {
		t.Errorf("included %+v", got)
	}

	f.do(t, id, "write", map[string]any{"update": map[string]any{"id": thread.ID, "title": "new", "metadata": map[string]any{"more": true}},
		"patch": []any{map[string]any{"id": "go-0", "role": "assistant"}}, "remove": []string{"go-3"}}, nil)
	got, err := s.GetThread(ctx, thread.ID)
	if err != nil || got.Title != "new" || got.Metadata["more"] != true || got.Metadata["category"] != "support" {
		t.Errorf("%+v, error %v", got, err)
	}
	page, err := s.ListMessages(ctx, memory.MessageQuery{ThreadIDs: []string{thread.ID}})
	if err != nil || len(page.Messages) != 3 || page.Messages[0].Role != "assistant" || string(page.Messages[1].Content) != string(messages[1].Content) {
		t.Errorf("%+v, error %v", page, err)
	}
}

// TestMemoryOverREST runs the conformance suite with our client against our server.
func TestMemoryOverREST(t *testing.T) {
	t.Parallel()
	f := serveFiles(t)
	memorytest.Run(t, memorytest.Options{}, func(t *testing.T) memory.Store {
		backend, err := rest.Open(rest.Config{API: cloudflare.Config{BaseURL: f.base, APIToken: token}, AccountID: account, DatabaseID: f.create(t, t.Name())})
		if err != nil {
			t.Fatal(err)
		}
		db := d1.New(backend)
		t.Cleanup(func() { _ = db.Close() })
		s, err := ond1.New(db, ond1.Config{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

// TestMemoryOnWorkerd runs it with our client on Cloudflare's own engine.
func TestMemoryOnWorkerd(t *testing.T) {
	t.Parallel()
	db, _ := workerdD1(t)
	n := 0
	memorytest.Run(t, memorytest.Options{TextContent: true}, func(t *testing.T) memory.Store {
		n++ // each in tables of its own
		s, err := ond1.New(db, ond1.Config{TablePrefix: fmt.Sprintf("t%d_", n), Layout: ond1.LayoutMastra})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

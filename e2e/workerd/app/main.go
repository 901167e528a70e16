//go:build js

// App is the Worker of the end-to-end tests: an HTTP API on D1, and a place to try what
// a Worker has to stand.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall/js"
	"time"

	"github.com/skylite-go/skylite/d1"
	_ "github.com/skylite-go/skylite/d1/binding"
	"github.com/skylite-go/skylite/d1/d1http"
	"github.com/skylite-go/skylite/worker"
)

type note struct {
	ID   int64  `json:"id"`
	Text string `json:"text"`
}

func main() {
	db, err := d1.Open("binding:DB")
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /notes", addNote)
	mux.HandleFunc("GET /notes/{id}", getNote)
	mux.HandleFunc("GET /bindings/{name}", openBinding)
	mux.HandleFunc("POST /upper", upper)
	mux.HandleFunc("GET /request", request)
	mux.HandleFunc("GET /stream", stream)
	mux.HandleFunc("GET /meet", meet)
	mux.HandleFunc("GET /timer", timer)
	mux.HandleFunc("GET /later", later)
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("a secret of the handler") })
	mux.HandleFunc("GET /die", die)
	mux.HandleFunc("GET /stats", stats)
	if err := worker.Serve(d1http.Sessions(db, d1http.Options{}, mux)); err != nil {
		panic(err)
	}
}

func reply(w http.ResponseWriter, v any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		v = map[string]string{"error": err.Error()}
	}
	_ = json.NewEncoder(w).Encode(v)
}

func addNote(w http.ResponseWriter, r *http.Request) {
	var n note
	if err := json.NewDecoder(r.Body).Decode(&n); err != nil {
		reply(w, nil, err)
		return
	}
	n, err := d1.First[note](r.Context(), d1http.Session(r.Context()), "INSERT INTO notes (text) VALUES (?) RETURNING id, text", n.Text)
	reply(w, n, err)
}

func getNote(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		reply(w, nil, err)
		return
	}
	n, err := d1.First[note](r.Context(), d1http.Session(r.Context()), "SELECT id, text FROM notes WHERE id = ?", id)
	reply(w, n, err)
}

func openBinding(w http.ResponseWriter, r *http.Request) {
	_, err := d1.Open("binding:" + r.PathValue("name"))
	reply(w, "ok", err)
}

// upper streams: it answers while it reads.
func upper(w http.ResponseWriter, r *http.Request) {
	buf := make([]byte, 4096)
	for {
		n, err := r.Body.Read(buf)
		for i, c := range buf[:n] {
			if c >= 'a' && c <= 'z' {
				buf[i] = c - 32
			}
		}
		if _, err := w.Write(buf[:n]); err != nil {
			return
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			panic(err)
		}
		w.(http.Flusher).Flush()
	}
}

func request(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("X-Twice", "a")
	w.Header().Add("X-Twice", "b")
	w.WriteHeader(http.StatusTeapot)
	reply(w, map[string]any{
		"method": r.Method, "path": r.URL.Path, "query": r.URL.RawQuery, "host": r.Host, "header": r.Header.Get("X-Test"),
		"variable": os.Getenv("TEXT"), "cf": worker.CF(r.Context()),
	}, nil)
}

func stream(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.URL.Query().Get("n"))
	for i := range n {
		if _, err := fmt.Fprintf(w, "line %d\n", i); err != nil {
			return
		}
	}
}

// meeting is where requests wait for each other: the last one wakes all of them, as part
// of itself, and each goes on to ask its database.
var meeting = struct {
	sync.Mutex
	there int
	open  chan struct{}
}{open: make(chan struct{})}

func meet(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.URL.Query().Get("n"))
	meeting.Lock()
	meeting.there++
	open := meeting.open
	if meeting.there == n {
		close(meeting.open)
		meeting.there, meeting.open = 0, make(chan struct{})
	}
	meeting.Unlock()
	<-open
	got, err := d1.First[string](r.Context(), d1http.Session(r.Context()), "SELECT ?", r.URL.Query().Get("who"))
	reply(w, got, err)
}

// timer waits for a time that a request which has ended may have asked for.
func timer(w http.ResponseWriter, r *http.Request) {
	ms, _ := strconv.Atoi(r.URL.Query().Get("ms"))
	ctx, cancel := context.WithTimeout(r.Context(), time.Duration(ms)*time.Millisecond)
	defer cancel()
	<-ctx.Done()
	reply(w, "ok", nil)
}

func later(w http.ResponseWriter, r *http.Request) {
	session := d1http.Session(r.Context())
	err := worker.WaitUntil(r.Context(), func(ctx context.Context) {
		time.Sleep(20 * time.Millisecond)
		if _, err := session.Run(ctx, "INSERT INTO notes (id, text) VALUES (1000000, 'later')"); err != nil {
			panic(err)
		}
	})
	reply(w, "ok", err)
}

// die ends the program, as a panic in a goroutine of its own does.
func die(_ http.ResponseWriter, r *http.Request) {
	go panic("a goroutine's own panic")
	<-r.Context().Done()
}

// stats says what the program holds, after a collection.
func stats(w http.ResponseWriter, _ *http.Request) {
	runtime.GC() // and once more, for what finalizers let go of
	runtime.Gosched()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	held := map[string]int{"goroutines": runtime.NumGoroutine(), "heap": int(m.HeapAlloc)}
	_ = json.Unmarshal([]byte(js.Global().Get("skylite").Call("stats").String()), &held)
	reply(w, held, nil)
}

package server

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"
)

// TestParamsAreBounded sends more parameters than there can be. They must not cost a
// multiple of the body.
func TestParamsAreBounded(t *testing.T) {
	body := []byte(`{"sql":"SELECT ?","params":[` + strings.Repeat("0,", 1_000_000) + `0]}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	bodies, apiErr := readQuery(body)
	runtime.ReadMemStats(&after)
	if apiErr != nil || len(bodies) != 1 || len(bodies[0].params) != 101 {
		t.Fatalf("%v, %d bodies", apiErr, len(bodies))
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("%d bytes were used for %d", used, len(body))
	}
}

func FuzzQueryBody(f *testing.F) {
	for _, seed := range []string{
		`{"sql":"SELECT ?; -- a","params":[1,"a",null,true,[1,2],{}]}`,
		`{"batch":[{"sql":"CREATE TRIGGER a AFTER INSERT ON t begin SELECT 1; end"},{"params":[[256]]}]}`,
		`{"sql":1,"sql":"a","batch":null`, `[]`, ``, `null`,
	} {
		f.Add([]byte(seed))
	}
	s := &Server{cfg: Config{Switches: Switches{RefuseLowerCaseTriggers: true}}.withDefaults()}
	f.Fuzz(func(t *testing.T, data []byte) {
		bodies, apiErr := readQuery(data)
		_, _ = s.readCreate(data)
		_, _ = readUpdate(data, true)
		if apiErr != nil {
			if answer := appendJSON(nil, apiErr.messages); !json.Valid(answer) {
				t.Fatalf("%q gives %q", data, answer)
			}
			return
		}
		if statements, apiErr := s.statements(bodies); apiErr == nil && len(statements) == 0 {
			t.Fatalf("%q gives neither statements nor an error", data)
		}
	})
}

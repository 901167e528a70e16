package edge

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall/js"
)

// runtime is the JavaScript side: a Program of runtime.mjs.
var runtime = sync.OnceValue(func() js.Value {
	v := js.Global().Get("skylite")
	if v.Type() == js.TypeObject {
		v.Call("settler", js.FuncOf(settle))
	}
	return v
})

// Inside reports whether the program runs in a Worker.
func Inside() bool { return runtime().Type() == js.TypeObject }

// outcome is what has become of a call.
type outcome struct {
	value js.Value
	err   error
}

// calls are those under way, by their numbers.
var calls = struct {
	sync.Mutex
	next    int
	waiting map[int]chan outcome
}{waiting: make(map[int]chan outcome)}

// settle gets the outcome of a call: its number, whether it went well, and its value or
// the text of its error.
func settle(_ js.Value, args []js.Value) any {
	id := args[0].Int()
	calls.Lock()
	waiting := calls.waiting[id]
	delete(calls.waiting, id)
	calls.Unlock()
	if waiting == nil {
		return nil // given up
	}
	if args[1].Bool() {
		waiting <- outcome{value: args[2]}
	} else {
		waiting <- outcome{err: errors.New(args[2].String())}
	}
	return nil
}

// Invocation is an event that the Worker handles. JavaScript's I/O belongs to one.
type Invocation struct{ value js.Value }

type invocationKey struct{}

// With returns a context whose calls belong to an invocation.
func With(ctx context.Context, i Invocation) context.Context {
	return context.WithValue(ctx, invocationKey{}, i)
}

// Of returns the invocation that a context belongs to.
func Of(ctx context.Context) (Invocation, bool) {
	i, ok := ctx.Value(invocationKey{}).(Invocation)
	return i, ok
}

// Begun is the error of a call that has begun when its context ended: what it does, it
// still does.
type Begun struct{ Err error }

// Error returns the context's error.
func (b *Begun) Error() string { return b.Err.Error() }

// Unwrap returns the context's error.
func (b *Begun) Unwrap() error { return b.Err }

// Call runs an operation of runtime.mjs for the invocation that the context belongs to,
// or for any if it belongs to none, and waits for its outcome. The context's end ends
// only the waiting.
func Call(ctx context.Context, name string, args ...any) (js.Value, error) {
	if !Inside() {
		return js.Undefined(), ErrOutside
	}
	waiting := make(chan outcome, 1)
	calls.Lock()
	calls.next++
	id := calls.next
	calls.waiting[id] = waiting
	calls.Unlock()
	owner := js.Null()
	if i, ok := Of(ctx); ok {
		owner = i.value
	}
	if !runtime().Call("call", append([]any{id, owner, name}, args...)...).Bool() {
		forget(id)
		return js.Undefined(), errors.New("no request is being handled, so there is nothing to do I/O for")
	}
	select {
	case o := <-waiting:
		return o.value, o.err
	case <-ctx.Done():
		forget(id)
		return js.Undefined(), &Begun{ctx.Err()}
	}
}

func forget(id int) {
	calls.Lock()
	delete(calls.waiting, id)
	calls.Unlock()
}

// Handle sets what handles requests. It is called with the invocation and with what
// runtime.mjs says of the request, and must not block.
func Handle(handle func(i Invocation, args []js.Value)) error {
	if !Inside() {
		return ErrOutside
	}
	runtime().Call("handler", js.FuncOf(func(_ js.Value, args []js.Value) any {
		handle(Invocation{args[0]}, args[1:])
		return nil
	}))
	return nil
}

// Binding returns the binding of a name, which must be of a kind, such as "D1".
func Binding(name, kind string) (js.Value, error) {
	if !Inside() {
		return js.Undefined(), ErrOutside
	}
	v := runtime().Call("binding", name)
	switch got := runtime().Call("kindOf", v).String(); {
	case got == "absent":
		return v, fmt.Errorf("the Worker has no binding %q; add one to wrangler.jsonc", name)
	case !strings.EqualFold(got, kind):
		return v, fmt.Errorf("the Worker's binding %q is no %s binding, but %s", name, kind, got)
	}
	return v, nil
}

// Strings returns the Worker's variables and secrets.
func Strings() map[string]string {
	strings := make(map[string]string)
	if !Inside() {
		return strings
	}
	lines := runtime().Call("strings")
	for i := 0; i+1 < lines.Length(); i += 2 {
		strings[lines.Index(i).String()] = lines.Index(i + 1).String()
	}
	return strings
}

// Bytes returns a copy of a Uint8Array.
func Bytes(v js.Value) []byte {
	b := make([]byte, v.Length())
	js.CopyBytesToGo(b, v)
	return b
}

// Array returns a Uint8Array with a copy of b.
func Array(b []byte) js.Value {
	v := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(v, b)
	return v
}

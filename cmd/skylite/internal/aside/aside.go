// Package aside runs a function beside its caller.
package aside

import "context"

type outcome[T any] struct {
	value T
	err   error
}

func start[T any](f func() (T, error)) <-chan outcome[T] {
	done := make(chan outcome[T], 1)
	go func() {
		value, err := f()
		done <- outcome[T]{value, err}
	}()
	return done
}

// Start runs a function; wait returns, once, what it returned.
func Start[T any](f func() (T, error)) (wait func() (T, error)) {
	done := start(f)
	return func() (T, error) {
		o := <-done
		return o.value, o.err
	}
}

// Wait runs a function that may block for ever, such as reading from a terminal, until
// the context ends. What it returns then is lost, which does not matter where the caller
// is about to end too.
func Wait[T any](ctx context.Context, f func() (T, error)) (T, error) {
	select {
	case o := <-start(f):
		return o.value, o.err
	case <-ctx.Done():
		var zero T
		return zero, ctx.Err()
	}
}

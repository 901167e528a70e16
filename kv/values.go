package kv

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
)

// GetString returns the value of a key as a string. See [Namespace].
func GetString(ctx context.Context, ns Namespace, key string) (string, error) {
	value, err := ns.Get(ctx, key)
	return string(value), err
}

// PutString stores a string.
func PutString(ctx context.Context, ns Namespace, key, value string, opts PutOptions) error {
	return ns.Put(ctx, key, []byte(value), opts)
}

// GetJSON returns the value of a key, which is JSON, as a T.
func GetJSON[T any](ctx context.Context, ns Namespace, key string) (T, error) {
	var value T
	data, err := ns.Get(ctx, key)
	if err != nil {
		return value, err
	}
	if err := json.Unmarshal(data, &value); err != nil {
		return value, fmt.Errorf("kv: get %q: the value is not the JSON of a %T: %w", key, value, err)
	}
	return value, nil
}

// PutJSON stores a value as JSON.
func PutJSON(ctx context.Context, ns Namespace, key string, value any, opts PutOptions) error {
	data, err := marshal(value)
	if err != nil {
		return fmt.Errorf("kv: put %q: the value cannot become JSON: %w", key, err)
	}
	return ns.Put(ctx, key, data, opts)
}

// GetReader returns a reader of the value of a key. The value has been read whole, so
// that it is one consistent value.
func GetReader(ctx context.Context, ns Namespace, key string) (io.Reader, error) {
	data, err := ns.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	return bytes.NewReader(data), nil
}

// PutReader stores what a reader gives. It reads to the end first, since a write that
// fails must leave the old value; a value that is too long is read to its end too, to be
// told its length.
func PutReader(ctx context.Context, ns Namespace, key string, r io.Reader, opts PutOptions) error {
	if err := CheckKey("put", key); err != nil { // before anything is read
		return err
	}
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(r, MaxValueBytes))
	if err != nil {
		return fmt.Errorf("kv: put %q: reading the value: %w", key, err)
	}
	if n == MaxValueBytes {
		rest, err := io.Copy(io.Discard, contextReader{ctx, r})
		if err != nil {
			return fmt.Errorf("kv: put %q: reading the value: %w", key, err)
		}
		if err := CheckValue("put", key, int(n+rest)); err != nil {
			return err
		}
	}
	return ns.Put(ctx, key, b.Bytes(), opts)
}

// contextReader ends when its context does.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// DecodeMetadata returns metadata as a T, or the zero T if there is none.
func DecodeMetadata[T any](metadata json.RawMessage) (T, error) {
	var value T
	if len(metadata) == 0 {
		return value, nil
	}
	if err := json.Unmarshal(metadata, &value); err != nil {
		return value, fmt.Errorf("kv: the metadata is not the JSON of a %T: %w", value, err)
	}
	return value, nil
}

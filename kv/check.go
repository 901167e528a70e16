package kv

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

func refused(status int, format string, args ...any) *Error {
	return &Error{Message: fmt.Sprintf(format, args...), Status: status, Outcome: OutcomeUnsent}
}

// named says what an error of a check belongs to.
func named(err *Error, op, key string) error {
	if err == nil {
		return nil
	}
	err.Op, err.Key = op, key
	return err
}

// CheckKey returns the error that KV has for a key, or nil if it may be one. Op is what
// the key is for, such as "get".
func CheckKey(op, key string) error { return named(checkKey(key), op, key) }

func checkKey(key string) *Error {
	switch {
	case key == "":
		return refused(400, "Key names must not be empty")
	case key == ".", key == "..":
		return refused(400, "Illegal key name %q. Please use a different name.", key)
	}
	return checkText(key)
}

func checkText(key string) *Error {
	switch {
	case len(key) > MaxKeyBytes:
		return refused(414, "UTF-8 encoded length of %d exceeds key length limit of %d.", len(key), MaxKeyBytes)
	case !utf8.ValidString(key):
		return refused(400, "Could not URL-decode key name: it is not valid UTF-8")
	}
	return nil
}

// CheckKeys checks the keys that are to be read at once: how many they are, and each.
func CheckKeys(op string, keys []string) error {
	switch {
	case len(keys) == 0:
		return named(refused(400, "You must request a minimum of 1 key"), op, "")
	case len(keys) > MaxGetKeys:
		return named(refused(400, "You can request a maximum of %d keys", MaxGetKeys), op, "")
	}
	for _, key := range keys {
		if err := CheckKey(op, key); err != nil {
			return err
		}
	}
	return nil
}

// CheckValue returns the error that KV has for the length of a value.
func CheckValue(op, key string, size int) error {
	if size > MaxValueBytes {
		return named(refused(413, "Value length of %d exceeds limit of %d.", size, MaxValueBytes), op, key)
	}
	return nil
}

// CheckPut checks everything about a put, and returns its metadata as JSON, or nil if
// there is none. minTTL is the shortest time to live that the place takes, [MinTTL] for
// KV.
func CheckPut(op, key string, value []byte, opts PutOptions, now time.Time, minTTL time.Duration) (json.RawMessage, error) {
	if err := CheckKey(op, key); err != nil {
		return nil, err
	}
	if err := checkExpiry(opts, now, minTTL); err != nil {
		return nil, named(err, op, key)
	}
	metadata, bad := encodeMetadata(opts.Metadata)
	if bad != nil {
		return nil, named(bad, op, key)
	}
	return metadata, CheckValue(op, key, len(value))
}

// CheckExpiry checks the TTL and the Expiration of a put. See [CheckPut].
func CheckExpiry(op, key string, opts PutOptions, now time.Time, minTTL time.Duration) error {
	return named(checkExpiry(opts, now, minTTL), op, key)
}

// maxExpiration keeps milliseconds, and the sums with them, far from an overflow: it is
// the last second of the year 9999.
var maxExpiration = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

func checkExpiry(opts PutOptions, now time.Time, minTTL time.Duration) *Error {
	switch {
	case opts.TTL != 0:
		return checkTTL(opts.TTL, minTTL)
	case opts.Expiration.IsZero():
		return nil
	}
	seconds := opts.Expiration.Unix()
	switch {
	case !opts.Expiration.After(now), minTTL >= time.Second && seconds <= now.Unix():
		return refused(400, "Invalid expiration of %d. Please specify integer greater than the current number of "+
			"seconds since the UNIX epoch.", seconds)
	case opts.Expiration.After(maxExpiration):
		return refused(400, "Invalid expiration of %d. It is later than the year 9999.", seconds)
	case minTTL >= time.Second && seconds < now.Unix()+int64(minTTL/time.Second):
		return refused(400, "Invalid expiration of %d. Expiration times must be at least %d seconds in the future.",
			seconds, int(minTTL/time.Second))
	}
	return nil
}

func checkTTL(ttl, minTTL time.Duration) *Error {
	shown := fmt.Sprint(int64(ttl / time.Second))
	if ttl%time.Second != 0 {
		shown = fmt.Sprint(ttl.Seconds())
	}
	switch {
	case ttl < 0, minTTL >= time.Second && ttl < time.Second:
		return refused(400, "Invalid expiration_ttl of %s. Please specify integer greater than 0.", shown)
	case ttl < minTTL:
		return refused(400, "Invalid expiration_ttl of %s. Expiration TTL must be at least %v.", shown, minTTL.Seconds())
	}
	return nil
}

// CheckPrefix returns the error that KV has for the prefix of a list.
func CheckPrefix(prefix string) error { return named(checkText(prefix), "list", prefix) }

// CheckList checks a list's options, but not its cursor, which only the place can read.
func CheckList(opts ListOptions) error {
	switch {
	case opts.Limit < 0:
		return named(refused(400, "Invalid key_count_limit of %d. Please specify an integer greater than 0.",
			opts.Limit), "list", "")
	case opts.Limit > MaxListKeys: // the text is KV's, although 1000 is accepted
		return named(refused(400, "Invalid key_count_limit of %d. Please specify an integer less than %d.",
			opts.Limit, MaxListKeys), "list", "")
	}
	return CheckPrefix(opts.Prefix)
}

// EncodeMetadata returns metadata as JSON, or nil if there is none. It is an error if it
// cannot be encoded, or is longer than [MaxMetadataBytes].
func EncodeMetadata(metadata any) (json.RawMessage, error) {
	data, bad := encodeMetadata(metadata)
	if bad != nil {
		return nil, bad
	}
	return data, nil
}

func encodeMetadata(metadata any) (json.RawMessage, *Error) {
	if metadata == nil {
		return nil, nil
	}
	data, err := marshal(metadata)
	switch {
	case err != nil:
		bad := refused(400, "Metadata could not be serialized to JSON: %v", err)
		bad.Err = err
		return nil, bad
	case string(data) == "null":
		return nil, nil
	case len(data) > MaxMetadataBytes:
		return nil, refused(413, "Metadata length of %d exceeds limit of %d.", len(data), MaxMetadataBytes)
	}
	return data, nil
}

// marshal writes JSON as JavaScript does, without escapes for HTML, which would count
// against the limit.
func marshal(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	if raw, ok := v.(json.RawMessage); ok {
		if len(bytes.TrimSpace(raw)) == 0 {
			return json.RawMessage("null"), nil
		}
		if !utf8.Valid(raw) {
			return nil, errors.New("it is not valid UTF-8")
		}
		if err := json.Compact(&b, raw); err != nil {
			return nil, err
		}
		return b.Bytes(), nil
	}
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}

// CheckBatch checks the writes of a batch, and returns the metadata of each, as
// [CheckPut] does.
func CheckBatch(writes []Write, now time.Time, minTTL time.Duration) ([]json.RawMessage, error) {
	if len(writes) > MaxBatch {
		return nil, named(refused(400, "received %d key/value pairs, but max allowed per request is: %d",
			len(writes), MaxBatch), "batch", "")
	}
	metadata := make([]json.RawMessage, len(writes))
	for i, w := range writes {
		var err error
		if w.Delete {
			err = CheckKey("delete", w.Key)
		} else {
			metadata[i], err = CheckPut("put", w.Key, w.Value, w.PutOptions, now, minTTL)
		}
		if err != nil {
			return nil, fmt.Errorf("kv: batch: write %d: %w", i+1, err)
		}
	}
	return metadata, nil
}

// Seconds returns a time as the whole seconds since the Unix epoch that KV shows, or 0 for
// the zero time.
func Seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// FromSeconds is the inverse of [Seconds]. Seconds beyond the year 9999 are its end.
func FromSeconds(seconds float64) time.Time {
	switch {
	case seconds <= 0 || math.IsNaN(seconds):
		return time.Time{}
	case seconds >= float64(maxExpiration.Unix()):
		return maxExpiration
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)).UTC()
}

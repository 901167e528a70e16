package memory

import (
	"bytes"
	"encoding/json"
	"errors"
)

// Member is a key of a JSON object, with its value as it is written.
type Member struct {
	// Key is the key.
	Key string
	// Value is its value.
	Value json.RawMessage
}

// Members returns the members of a JSON object, in their order.
func Members(object json.RawMessage) ([]Member, error) {
	dec := json.NewDecoder(bytes.NewReader(object))
	if token, err := dec.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("it is not a JSON object")
	}
	var members []Member
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		m := Member{Key: token.(string)} // a key is nothing else
		if err := dec.Decode(&m.Value); err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	_, err := dec.Token()
	return members, err
}

// MergeContent returns content with the keys of another, as [Store.UpdateMessages] merges
// them: key by key, and those of metadata key by key again. Content that is no object is
// replaced.
func MergeContent(content, update json.RawMessage) (json.RawMessage, error) {
	old, err := Members(content)
	if err != nil {
		old = nil
	}
	changes, err := Members(update)
	if err != nil {
		return nil, err
	}
	for _, change := range changes {
		if change.Key == "metadata" && isObject(change.Value) {
			for _, m := range old {
				if m.Key == "metadata" && isObject(m.Value) {
					inner, err := Members(change.Value)
					if err != nil {
						return nil, err
					}
					before, err := Members(m.Value)
					if err != nil {
						return nil, err
					}
					for _, i := range inner {
						before = set(before, i)
					}
					change.Value = encodeMembers(before)
				}
			}
		}
		old = set(old, change)
	}
	return encodeMembers(old), nil
}

func set(members []Member, m Member) []Member {
	for i := range members {
		if members[i].Key == m.Key {
			members[i].Value = m.Value
			return members
		}
	}
	return append(members, m)
}

func encodeMembers(members []Member) json.RawMessage {
	buf := []byte{'{'}
	for i, m := range members {
		if i > 0 {
			buf = append(buf, ',')
		}
		key, err := EncodeJSON(m.Key)
		if err != nil { // a key of JSON is valid UTF-8
			continue
		}
		buf = append(append(append(buf, key...), ':'), m.Value...)
	}
	return append(buf, '}')
}

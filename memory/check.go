package memory

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"
)

// CheckID reports what is wrong with an id. What is what it names, such as "the thread's
// id".
func CheckID(what, id string) error {
	switch {
	case strings.TrimSpace(id) == "":
		return Invalidf("%s is empty", what)
	case !utf8.ValidString(id):
		return Invalidf("%s is not valid UTF-8: %.60q", what, id)
	case strings.IndexByte(id, 0) >= 0:
		return Invalidf("%s has a NUL in it: %.60q", what, id)
	}
	return nil
}

// CheckTime returns a time as it is stored: in UTC and to the millisecond. Years outside
// 0 to 9999 are an error.
func CheckTime(t time.Time) (time.Time, error) {
	t = t.UTC().Truncate(time.Millisecond)
	if year := t.Year(); year < 0 || year > 9999 {
		return t, Invalidf("the year %d is outside of 0 to 9999", year)
	}
	return t, nil
}

func timeOr(t, now time.Time) (time.Time, error) {
	if t.IsZero() {
		t = now
	}
	return CheckTime(t)
}

func checkText(what, text string) error {
	if !utf8.ValidString(text) {
		return Invalidf("%s is not valid UTF-8", what)
	}
	return nil
}

func checkObject(what string, o Object) error {
	if _, err := EncodeJSON(o); err != nil {
		return Invalidf("%s cannot be JSON: %v", what, err)
	}
	return nil
}

// Check returns the thread as it is to be stored at a time, or what is wrong with it. It
// is for those who make a Store, like the Checks of the other types.
func (t Thread) Check(now time.Time) (Thread, error) {
	err := CheckID("the thread's id", t.ID)
	if err == nil {
		err = CheckID("the thread's resource id", t.ResourceID)
	}
	if err == nil {
		err = checkText("the thread's title", t.Title)
	}
	if err == nil {
		err = checkObject("the thread's metadata", t.Metadata)
	}
	if err == nil {
		t.CreatedAt, err = timeOr(t.CreatedAt, now)
	}
	if err == nil {
		t.UpdatedAt, err = timeOr(t.UpdatedAt, now)
	}
	if err == nil && t.ArchivedAt != nil {
		var at time.Time
		at, err = CheckTime(*t.ArchivedAt)
		t.ArchivedAt = &at
	}
	return t, err
}

// CheckMessages returns messages as they are to be stored at a time, or what is wrong with
// one of them.
func CheckMessages(messages []Message, now time.Time) ([]Message, error) {
	checked := make([]Message, len(messages))
	for i, m := range messages {
		for _, field := range []struct{ name, value string }{
			{"id", m.ID}, {"threadId", m.ThreadID}, {"role", m.Role}, {"resourceId", m.ResourceID},
		} {
			if strings.TrimSpace(field.value) == "" {
				return nil, Invalidf("message at index %d missing %s", i, field.name)
			}
			if err := CheckID(field.name, field.value); err != nil {
				return nil, Invalidf("message at index %d: %v", i, strings.TrimPrefix(err.Error(), "memory: "))
			}
		}
		if len(m.Content) == 0 {
			return nil, Invalidf("message at index %d missing content", i)
		}
		if err := checkContent(m.Content); err != nil {
			return nil, Invalidf("message at index %d, %q: %v", i, m.ID, err)
		}
		if err := checkText("type", m.Type); err != nil {
			return nil, Invalidf("message at index %d: %v", i, strings.TrimPrefix(err.Error(), "memory: "))
		}
		if m.Type == "v2" {
			m.Type = ""
		}
		m.Content = bytes.TrimSpace(m.Content)
		var err error
		if m.CreatedAt, err = timeOr(m.CreatedAt, now); err != nil {
			return nil, err
		}
		checked[i] = m
	}
	return checked, nil
}

type contentError string

func (e contentError) Error() string { return string(e) }

func checkContent(content json.RawMessage) error {
	switch {
	case !utf8.Valid(content):
		return contentError("the content is not valid UTF-8")
	case !json.Valid(content):
		return contentError("the content is not JSON")
	}
	return nil
}

// Check returns the update as it is to be done, or what is wrong with it.
func (u ThreadUpdate) Check() (ThreadUpdate, error) {
	if u.Title != nil {
		if err := checkText("the thread's title", *u.Title); err != nil {
			return u, err
		}
	}
	if u.ArchivedAt != nil && !u.ArchivedAt.IsZero() {
		at, err := CheckTime(*u.ArchivedAt)
		if err != nil {
			return u, err
		}
		u.ArchivedAt = &at
	}
	return u, checkObject("the thread's metadata", u.Metadata)
}

// CheckUpdates reports what is wrong with updates of messages.
func CheckUpdates(updates []MessageUpdate) error {
	for i, u := range updates {
		for _, field := range []struct{ name, value string }{
			{"id", u.ID}, {"threadId", u.ThreadID}, {"resourceId", u.ResourceID}, {"role", u.Role}, {"type", u.Type},
		} {
			if field.name != "id" && field.value == "" {
				continue
			}
			if err := CheckID(field.name, field.value); err != nil {
				return Invalidf("update at index %d: %v", i, strings.TrimPrefix(err.Error(), "memory: "))
			}
		}
		if u.Content == nil {
			continue
		}
		if err := checkContent(u.Content); err != nil {
			return Invalidf("update at index %d, %q: %v", i, u.ID, err)
		}
		if !isObject(u.Content) {
			return Invalidf("update at index %d, %q: the content is not a JSON object, which alone can be merged; save the message instead", i, u.ID)
		}
	}
	return nil
}

func isObject(content json.RawMessage) bool {
	trimmed := bytes.TrimLeft(content, " \t\r\n")
	return len(trimmed) > 0 && trimmed[0] == '{'
}

// Check returns what is to be stored at a time, or what is wrong with it.
func (m Metadata) Check(now time.Time) (Metadata, error) {
	err := CheckID("the resource's id", m.ResourceID)
	if err == nil {
		err = checkText("the working memory", m.WorkingMemory)
	}
	if err == nil {
		err = checkObject("the resource's metadata", m.Metadata)
	}
	if err == nil {
		m.CreatedAt, err = timeOr(m.CreatedAt, now)
	}
	if err == nil {
		m.UpdatedAt, err = timeOr(m.UpdatedAt, now)
	}
	return m, err
}

// Check reports what is wrong with an update of a resource.
func (u MetadataUpdate) Check(resourceID string) error {
	if err := CheckID("the resource's id", resourceID); err != nil {
		return err
	}
	if u.WorkingMemory != nil {
		if err := checkText("the working memory", *u.WorkingMemory); err != nil {
			return err
		}
	}
	return checkObject("the resource's metadata", u.Metadata)
}

// Check returns the options as they are to be used, with an id for the new thread, or what
// is wrong with them.
func (o CloneOptions) Check() (CloneOptions, error) {
	if err := CheckID("the source thread's id", o.SourceID); err != nil {
		return o, err
	}
	if o.ID == "" {
		o.ID = NewID()
	}
	if err := CheckID("the thread's id", o.ID); err != nil {
		return o, err
	}
	if o.ResourceID != "" {
		if err := CheckID("the thread's resource id", o.ResourceID); err != nil {
			return o, err
		}
	}
	if o.Last < 0 {
		return o, Invalidf("the number of messages to clone is negative: %d", o.Last)
	}
	for _, id := range o.MessageIDs {
		if err := CheckID("the id of a message to clone", id); err != nil {
			return o, err
		}
	}
	if err := checkText("the thread's title", o.Title); err != nil {
		return o, err
	}
	return o, checkObject("the thread's metadata", o.Metadata)
}

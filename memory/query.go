package memory

import (
	"math"
	"regexp"
	"strings"
	"time"
)

// All and None are sizes of a page: everything, and nothing of the page itself, but what
// it includes.
const (
	All  = math.MaxInt
	None = math.MinInt
)

// DefaultThreads and DefaultMessages are the sizes of a page if none is given.
const (
	DefaultThreads  = 100
	DefaultMessages = 40
)

// maxOffset keeps page times size a number that every place takes.
const maxOffset = 1 << 52

// Order is the direction of a list.
type Order string

// The directions. Empty is Descending for threads and Ascending for messages.
const (
	Ascending  Order = "ASC"
	Descending Order = "DESC"
)

// ThreadField is what a list of threads is ordered by.
type ThreadField string

// The fields. Empty is ByCreatedAt.
const (
	ByCreatedAt ThreadField = "createdAt"
	ByUpdatedAt ThreadField = "updatedAt"
)

// ThreadQuery chooses threads. The zero value is the first page of all, the newest first.
type ThreadQuery struct {
	// ResourceID chooses threads of a resource; empty means of all.
	ResourceID string
	// Metadata chooses threads whose metadata has each of these keys with this value: a
	// string, a number, a bool or nil. A key is a letter or _, and then letters, digits
	// and _, 128 at most.
	Metadata Object
	// Archived chooses threads that are archived, or are not; nil means both.
	Archived *bool
	// OrderBy and Order say how they are ordered.
	OrderBy ThreadField
	Order   Order
	// Page is the number of the page, from 0.
	Page int
	// PerPage is the size of a page; 0 means DefaultThreads. With [All], Page must be 0.
	PerPage int
	// Total asks how many there are on all pages, for which all must be looked at.
	Total bool
}

// ThreadPage is a page of threads.
type ThreadPage struct {
	// Threads are in the order that the query asked for.
	Threads []Thread
	// Total is how many there are on all pages, or -1 if that was not asked. With PerPage
	// [None] it is 0.
	Total int
	// Page and PerPage are those of the query.
	Page, PerPage int
	// HasMore says that there is a page after this one.
	HasMore bool
}

// MessageQuery chooses messages, of some threads or of a resource.
type MessageQuery struct {
	// ThreadIDs are the threads. None means all that ResourceID has.
	ThreadIDs []string
	// ResourceID chooses messages of a resource, and limits Include to them; empty means of
	// all.
	ResourceID string
	// Include adds messages to the page, of whatever thread.
	Include []Include
	// Start and End choose messages by their times; zero means no end. The ends themselves
	// are in it unless excluded.
	Start, End                   time.Time
	StartExclusive, EndExclusive bool
	// Metadata chooses messages whose content's metadata has each of these keys with this
	// value. See ThreadQuery.
	Metadata Object
	// Order is the direction, by time.
	Order Order
	// Page is the number of the page, from 0. It costs as much as the pages before it: a
	// Cursor does not.
	Page int
	// PerPage is the size of a page; 0 means DefaultMessages. With [All], Page is not used.
	PerPage int
	// Cursor is that of the page before, which was asked with the same query. Page must
	// then be 0.
	Cursor string
	// Total asks how many there are on all pages, for which all must be looked at.
	Total bool
}

// Include names a message, and how many messages of its thread come along.
type Include struct {
	// ID names the message. One that is unknown, or not of the query's ResourceID, is
	// passed over.
	ID string `json:"id"`
	// Previous and Next are how many messages before and after it are added.
	Previous int `json:"previous,omitempty"`
	Next     int `json:"next,omitempty"`
}

// MessagePage is a page of messages.
type MessagePage struct {
	// Messages are those of the page and those included, each once, all in the order that
	// the query asked for.
	Messages []Message
	// Total is how many there are on all pages, or -1 if that was not asked. With PerPage
	// [None] it is 0.
	Total int
	// Page and PerPage are those of the query.
	Page, PerPage int
	// HasMore says that there are messages behind the page which are not among Messages.
	HasMore bool
	// Cursor leads to the next page. It is empty if HasMore is false.
	Cursor string
}

var keyForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

// checkFilter checks a filter on metadata.
func checkFilter(filter Object) error {
	for key, value := range filter {
		if !keyForm.MatchString(key) || key == "__proto__" || key == "prototype" || key == "constructor" {
			return Invalidf("the metadata filter's key %.140q is not a name of letters, digits and _", key)
		}
		text, err := EncodeJSON(value)
		if err != nil || text[0] == '{' || text[0] == '[' {
			return Invalidf("the metadata filter's value for %s must be a string, a number, a bool or nil", key)
		}
	}
	return nil
}

// checkPage checks the number and the size of a page and returns the size.
func checkPage(page, perPage, byDefault int) (int, error) {
	switch {
	case page < 0:
		return 0, Invalidf("page must be >= 0, and is %d", page)
	case perPage < 0 && perPage != None:
		return 0, Invalidf("perPage must be >= 0, and is %d", perPage)
	case perPage == 0:
		perPage = byDefault
	}
	if perPage > 0 && perPage != All && page > maxOffset/perPage {
		return 0, Invalidf("page value too large: %d", page)
	}
	return perPage, nil
}

// Check returns the query with its defaults, or what is wrong with it. It is for those
// who make a Store.
func (q ThreadQuery) Check() (ThreadQuery, error) {
	var err error
	if q.PerPage, err = checkPage(q.Page, q.PerPage, DefaultThreads); err != nil {
		return q, err
	}
	if q.PerPage == All && q.Page != 0 {
		return q, Invalidf("page must be 0 when all is asked for, and is %d", q.Page)
	}
	if q.OrderBy != ByUpdatedAt {
		q.OrderBy = ByCreatedAt
	}
	if q.Order != Ascending {
		q.Order = Descending
	}
	if q.ResourceID != "" {
		if err := CheckID("the resource's id", q.ResourceID); err != nil {
			return q, err
		}
	}
	return q, checkFilter(q.Metadata)
}

// Check returns the query with its defaults, or what is wrong with it. It is for those
// who make a Store.
func (q MessageQuery) Check() (MessageQuery, error) {
	for _, id := range q.ThreadIDs {
		if strings.TrimSpace(id) == "" {
			return q, Invalidf("threadId must be a non-empty string or array of non-empty strings")
		}
		if err := CheckID("the thread's id", id); err != nil {
			return q, err
		}
	}
	if len(q.ThreadIDs) == 0 && q.ResourceID == "" {
		return q, Invalidf("a list of messages needs a thread or a resource: threadId must be a non-empty string or array of non-empty strings")
	}
	if q.ResourceID != "" {
		if err := CheckID("the resource's id", q.ResourceID); err != nil {
			return q, err
		}
	}
	var err error
	if q.PerPage, err = checkPage(q.Page, q.PerPage, DefaultMessages); err != nil {
		return q, err
	}
	if q.PerPage == All {
		q.Page = 0
	}
	if q.Cursor != "" && q.Page != 0 {
		return q, Invalidf("a page is chosen by its number or by a cursor, not by both")
	}
	if q.Order != Descending {
		q.Order = Ascending
	}
	for i, include := range q.Include {
		if err := CheckID("the id of an included message", include.ID); err != nil {
			return q, err
		}
		if include.Previous < 0 || include.Next < 0 {
			return q, Invalidf("include %d asks for a negative number of messages", i)
		}
	}
	if !q.Start.IsZero() {
		q.Start, err = CheckTime(q.Start)
	}
	if !q.End.IsZero() && err == nil {
		q.End, err = CheckTime(q.End)
	}
	if err != nil {
		return q, err
	}
	return q, checkFilter(q.Metadata)
}

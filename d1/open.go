package d1

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Opener opens the Backend that a data source name names. It need not reach the
// database: that may wait for the first request. Errors do not repeat secrets of
// the name.
type Opener func(dsn string) (Backend, error)

var places struct {
	sync.Mutex
	byScheme map[string]Opener
}

// Register says which place serves the data source names of a scheme, which is
// what stands before the first colon. Places call it when they are imported; a
// second registration of a scheme panics.
func Register(scheme string, open Opener) {
	places.Lock()
	defer places.Unlock()
	if _, taken := places.byScheme[scheme]; taken {
		panic("d1: scheme " + scheme + " is registered twice")
	}
	if places.byScheme == nil {
		places.byScheme = make(map[string]Opener)
	}
	places.byScheme[scheme] = open
}

// OpenBackend opens the Backend that a data source name names. See [Open].
func OpenBackend(dsn string) (Backend, error) {
	scheme, _, ok := strings.Cut(dsn, ":")
	if !ok || strings.ContainsAny(scheme, "/?@= ") { // and is not repeated, for the secrets in it
		return nil, fmt.Errorf("d1: the data source name has no scheme; write file:PATH or d1://ACCOUNT_ID/DATABASE")
	}
	places.Lock()
	open, known := places.byScheme[scheme]
	places.Unlock()
	if !known {
		return nil, fmt.Errorf("d1: no imported package opens %q names (imported: %s); "+
			"import github.com/skylite-go/skylite for all of them", scheme+":", schemes())
	}
	return open(dsn)
}

func schemes() string {
	places.Lock()
	defer places.Unlock()
	names := make([]string, 0, len(places.byScheme))
	for name := range places.byScheme {
		names = append(names, name+":")
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

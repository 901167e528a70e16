package kv

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Opener opens the Namespace that a data source name names. It need not reach it: that
// may wait for the first request. Errors do not repeat secrets of the name.
type Opener func(dsn string) (Namespace, error)

var places struct {
	sync.Mutex
	byScheme map[string]Opener
}

// Register says which place serves the data source names of a scheme, which is what
// stands before the first colon. Places call it when they are imported; a second
// registration of a scheme panics.
func Register(scheme string, open Opener) {
	places.Lock()
	defer places.Unlock()
	if _, taken := places.byScheme[scheme]; taken {
		panic("kv: scheme " + scheme + " is registered twice")
	}
	if places.byScheme == nil {
		places.byScheme = make(map[string]Opener)
	}
	places.byScheme[scheme] = open
}

// Open opens the namespace that a data source name names:
//
//	file:PATH?namespace=NAME               in a file of this machine (kv/ond1 and d1/embedded)
//	d1://ACCOUNT_ID/DATABASE?namespace=NAME in a D1 database (kv/ond1 and d1/rest)
//	kv://ACCOUNT_ID/NAMESPACE_ID           Workers KV, over the REST API (kv/rest)
//	binding:NAME                           Workers KV, inside a Worker (kv/binding)
//
// The place that serves the scheme must be imported; package skylite imports them all.
func Open(dsn string) (Namespace, error) {
	scheme, _, ok := strings.Cut(dsn, ":")
	if !ok || strings.ContainsAny(scheme, "/?@= ") { // and is not repeated, for the secrets in it
		return nil, fmt.Errorf("kv: the data source name has no scheme; " +
			"write file:PATH?namespace=NAME or kv://ACCOUNT_ID/NAMESPACE_ID")
	}
	places.Lock()
	open, known := places.byScheme[scheme]
	places.Unlock()
	if !known {
		return nil, fmt.Errorf("kv: no imported package opens %q names (imported: %s); "+
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

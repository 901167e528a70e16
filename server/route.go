package server

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// call is a request that has found its route.
type call struct {
	*http.Request
	w http.ResponseWriter
	// account and the others are the parts of the path that the route names.
	account, database, file, namespace, key string
}

// route is a pattern and what answers it. A part of the pattern in braces stands for
// any one segment of a path.
type route struct {
	method  string
	pattern []string
	handle  func(c *call) *apiError
}

func (s *Server) routeTable() []route {
	const db = "/accounts/{account}/d1/database"
	const one = db + "/{database}"
	const kv = "/accounts/{account}/storage/kv/namespaces"
	const ns = kv + "/{namespace}"
	var routes []route
	for _, r := range []struct {
		method, pattern string
		handle          func(c *call) *apiError
	}{
		{"GET", "/user", s.user},
		{"GET", "/user/tokens/verify", s.verifyToken},
		{"GET", "/accounts", s.accounts},
		{"GET", "/accounts/{account}", s.oneAccount},
		{"GET", "/accounts/{account}/tokens/verify", s.verifyToken},
		{"GET", "/memberships", s.memberships},
		{"POST", "/graphql", s.graphql},
		{"GET", db, s.listDatabases},
		{"POST", db, s.createDatabase},
		{"GET", one, s.getDatabase},
		{"PUT", one, s.putDatabase},
		{"PATCH", one, s.patchDatabase},
		{"DELETE", one, s.deleteDatabase},
		{"POST", one + "/query", s.query},
		{"POST", one + "/raw", s.raw},
		{"POST", one + "/export", s.export},
		{"POST", one + "/import", s.importSQL},
		{"PUT", one + "/import/{file}", s.receive},
		{"GET", one + "/export/{file}", s.download},
		{"POST", "/bridge/{database}", s.bridge},
		{"GET", one + "/time_travel/bookmark", s.bookmark},
		{"POST", one + "/time_travel/restore", s.restore},
		{"GET", kv, s.listNamespaces},
		{"POST", kv, s.createNamespace},
		{"GET", ns, s.getNamespace},
		{"PUT", ns, s.renameNamespace},
		{"DELETE", ns, s.deleteNamespace},
		{"GET", ns + "/keys", s.listKeys},
		{"GET", ns + "/values/{key}", s.getValue},
		{"PUT", ns + "/values/{key}", s.putValue},
		{"DELETE", ns + "/values/{key}", s.deleteValue},
		{"GET", ns + "/metadata/{key}", s.getMetadata},
		{"PUT", ns + "/bulk", s.bulkPut},
		{"DELETE", ns + "/bulk", s.bulkDelete},
		{"POST", ns + "/bulk/delete", s.bulkDelete},
		{"POST", ns + "/bulk/get", s.bulkGet},
	} {
		routes = append(routes, route{method: r.method, pattern: strings.Split(r.pattern[1:], "/"), handle: r.handle})
	}
	return routes
}

// apiPath returns the path behind /client/v4, if that stands there, with a single
// slash between its segments and none at its end. It stays escaped: a database's name
// may have a slash.
func apiPath(escaped string) string {
	segments := strings.FieldsFunc(escaped, func(c rune) bool { return c == '/' })
	if len(segments) >= 2 && segments[0] == "client" && segments[1] == "v4" {
		segments = segments[2:]
	}
	return "/" + strings.Join(segments, "/")
}

func (s *Server) dispatch(w http.ResponseWriter, r *http.Request, path string) *apiError {
	segments := strings.Split(path[1:], "/")
	var allowed []string
	for _, route := range s.routes {
		c := &call{Request: r, w: w}
		if !c.match(route.pattern, segments) {
			continue
		}
		if route.method != r.Method && !(route.method == http.MethodGet && r.Method == http.MethodHead) {
			allowed = append(allowed, route.method)
			continue
		}
		if s.cfg.AccountID != "" && c.account != "" && c.account != s.cfg.AccountID {
			return fail(http.StatusForbidden, codeAccount,
				"The given account is not valid or is not authorized to access this service")
		}
		return route.handle(c)
	}
	if len(allowed) > 0 {
		slices.Sort(allowed)
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		return fail(http.StatusMethodNotAllowed, codeMethod, "Method "+r.Method+" not available for that URI.")
	}
	return noRoute(path)
}

func noRoute(path string) *apiError {
	return &apiError{status: http.StatusNotFound, messages: []message{
		{Code: codeRoute, Message: "Could not route to /client/v4" + path + ", perhaps your object identifier is invalid?"},
		{Code: codeNoRoute, Message: "No route for that URI"},
	}}
}

// match reports whether a path fits a pattern, and takes the parts that it names.
func (c *call) match(pattern, segments []string) bool {
	if len(pattern) != len(segments) {
		return false
	}
	for i, want := range pattern {
		got, err := url.PathUnescape(segments[i])
		switch {
		case err != nil || got == "":
			return false
		case want == "{account}":
			c.account = got
		case want == "{database}":
			c.database = got
		case want == "{file}":
			c.file = got
		case want == "{namespace}":
			c.namespace = got
		case want == "{key}":
			c.key = got
		case want != got:
			return false
		}
	}
	return true
}

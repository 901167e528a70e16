// Package worker runs a Go program as a Cloudflare Worker.
//
//	func main() {
//		db, err := d1.Open("binding:DB")
//		…
//		worker.Serve(handler)
//	}
//
// `skylite worker init` writes such a project, and `skylite worker build` makes of it
// the folder that wrangler runs and deploys. The program is compiled with GOOS=js and
// GOARCH=wasm. It starts with the first request that an isolate gets and then serves
// all of them, many at a time: global variables live as long as the isolate, and no
// longer.
//
// # Variables, secrets and bindings
//
// The Worker's variables and secrets are the program's environment: os.Getenv has them.
// A D1 database is opened by its binding's name, as binding:DB (package d1/binding).
//
// # Contexts
//
// JavaScript's I/O belongs to the request that began it. What is called with the
// context of a request, or one made from it, is done as part of that request. So pass
// r.Context() on; what is called with another context is done for whichever request is
// there.
//
// The context ends when the handler has returned. Work that goes on after that is for
// [WaitUntil].
//
// # Panics
//
// A panic in a handler answers its request with status 500, and is logged; nobody else
// notices. A panic in a goroutine of its own ends the program, as in every Go program:
// requests under way are answered with status 500, and the next one starts it again.
package worker

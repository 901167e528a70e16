// Package e2e holds the tests that hold Skylite beside the real thing: Cloudflare's
// own engine, workerd, and the clients that people use with D1.
package e2e

// Package skylite is Cloudflare's D1 and Workers KV for Go: it imports the database/sql
// driver "d1" and every place that a database or a KV namespace can live in, so that each
// data source name opens.
//
//	import _ "github.com/skylite-go/skylite"
//
//	db, err := sql.Open("d1", "file:app.db")                 // SQLite in this process, under D1's rules
//	db, err := sql.Open("d1", "d1://ACCOUNT_ID/DATABASE_ID") // Cloudflare, over its REST API
//	db, err := sql.Open("d1", "d1+bridge://HOST/DB")         // Cloudflare, through a bridge Worker
//	db, err := sql.Open("d1", "binding:DB")                  // inside a Worker
//
//	ns, err := kv.Open("file:app.db?namespace=sessions")     // KV in that file
//	ns, err := kv.Open("kv://ACCOUNT_ID/NAMESPACE_ID")       // Workers KV, over its REST API
//
// A program that wants one place alone imports package d1/d1sql and that place, and
// links nothing else. Packages d1 and kv are the native APIs.
package skylite

import (
	_ "github.com/skylite-go/skylite/d1/binding"  // binding:
	_ "github.com/skylite-go/skylite/d1/bridge"   // d1+bridge:
	_ "github.com/skylite-go/skylite/d1/d1sql"    // the driver
	_ "github.com/skylite-go/skylite/d1/embedded" // file:
	_ "github.com/skylite-go/skylite/d1/rest"     // d1:
	_ "github.com/skylite-go/skylite/kv/binding"  // binding:
	_ "github.com/skylite-go/skylite/kv/ond1"     // file:, d1:, d1+bridge: with a namespace
	_ "github.com/skylite-go/skylite/kv/rest"     // kv:
)

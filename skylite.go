// Package skylite is Cloudflare's D1 for Go: it imports the database/sql driver "d1"
// and every place that a database can live in, so that each data source name opens.
//
//	import _ "github.com/skylite-go/skylite"
//
//	db, err := sql.Open("d1", "file:app.db")                 // SQLite in this process, under D1's rules
//	db, err := sql.Open("d1", "d1://ACCOUNT_ID/DATABASE_ID") // Cloudflare, over its REST API
//	db, err := sql.Open("d1", "d1+bridge://HOST/DB")         // Cloudflare, through a bridge Worker
//	db, err := sql.Open("d1", "binding:DB")                  // inside a Worker
//
// A program that wants one place alone imports package d1/d1sql and that place, and
// links nothing else. Package d1 is the native API.
package skylite

import (
	_ "github.com/skylite-go/skylite/d1/binding"  // binding:
	_ "github.com/skylite-go/skylite/d1/bridge"   // d1+bridge:
	_ "github.com/skylite-go/skylite/d1/d1sql"    // the driver
	_ "github.com/skylite-go/skylite/d1/embedded" // file:
	_ "github.com/skylite-go/skylite/d1/rest"     // d1:
)

// Package sqlc is code that sqlc generated from schema.sql and query.sql.
package sqlc

import _ "embed"

// Schema is the tables that the queries are written for.
//
//go:embed schema.sql
var Schema string

//go:generate go run github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1 generate

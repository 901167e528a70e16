// Package tools holds the tests that run Go's data tools, unmodified and with their
// default settings, over the driver "d1" and every place that a database can live.
package tools

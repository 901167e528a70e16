package dbdiff

import (
	"fmt"
	"strconv"
	"sync"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// A row's digest is an integer of 62 bits that SQL computes with functions which D1 has.
//
// The row is written as text: a digit for each value's type and then its digits, in hex for
// all but integers. 256 characters of that at a time are put into decimal digits, since
// those can be CAST; eight digits at a time are multiplied by constants and added up, which
// gives an integer below 2^63, since more would become a REAL. Such blocks are chained by
// two polynomials over primes.
//
// Sums over rows are of what two cubic functions make of the digests: sums of the digests
// themselves would not notice two rows that have swapped a column.
const (
	blockChars = 256 // of the row's text
	sliceChars = 32 << 10
	chunkSize  = 8 // of decimal digits; 10^8 · 2^30 · 64 is below 2^63
	chunks     = 2 * blockChars / chunkSize

	primeA = 2147483647
	primeB = 2147483629
)

// weights returns the factors of a block's chunks, and two more: odd numbers of 30 bits.
// They must never change, or rather, only for both sides at once.
var weights = sync.OnceValue(func() (w [chunks + 2]int64) {
	state := uint64(1)
	for i := range w { // splitmix64
		state += 0x9e3779b97f4a7c15
		z := (state ^ state>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		w[i] = int64(z^z>>31)&(1<<30-1) | 1
	}
	return w
})

// balanced joins terms by an operator as a balanced tree, for the sake of SQLite's limit on
// the depth of expressions.
func balanced(terms []string, operator string) string {
	switch n := len(terms); n {
	case 0:
		return "''"
	case 1:
		return terms[0]
	default:
		return "(" + balanced(terms[:n/2], operator) + operator + balanced(terms[n/2:], operator) + ")"
	}
}

// rowText is a row as text. No such text begins another of as many columns.
func rowText(columns []string) string {
	pieces := make([]string, len(columns))
	for i, name := range columns {
		pieces[i] = fmt.Sprintf("CASE typeof(%[1]s) WHEN 'null' THEN '0,' WHEN 'integer' THEN CASE WHEN %[1]s<0 THEN '2'||~%[1]s ELSE '1'||%[1]s END||','"+
			" WHEN 'text' THEN '4'||hex(%[1]s)||',' WHEN 'blob' THEN '5'||hex(%[1]s)||',' ELSE '3'||hex(quote(%[1]s))||',' END", sqltext.QuoteIdent(name))
	}
	return "CAST(" + balanced(pieces, "||") + " AS BLOB)"
}

// decimal writes the digits of hex, and commas, in decimal ones: 9 is the first of two.
func decimal(text string) string {
	text = "''||" + text // a blob without bytes is NULL to replace
	for i, c := range "9ABCDEF," {
		text = fmt.Sprintf("replace(%s,'%c','9%d')", text, c, i)
	}
	return "CAST(" + text + " AS BLOB)"
}

// block adds up a block of decimal digits. Most rows are short, and have few chunks.
func block(digits string) string {
	w := weights()
	terms := make([]string, chunks)
	for i := range terms {
		terms[i] = fmt.Sprintf("CAST(substr(%s,%d,%d) AS INTEGER)*%d", digits, 1+i*chunkSize, chunkSize, w[i])
	}
	few := terms[:chunks/4]
	return fmt.Sprintf("(%s+CASE WHEN length(%s)<=%d THEN 0 ELSE %s END)", balanced(few, "+"), digits, len(few)*chunkSize,
		balanced(terms[len(few):], "+"))
}

// chained is the digest of a text that is longer than a part: parts are cut off, made
// into something whose digest is known, and chained. In the record of a step, i is how far
// the text has been read, m the part read last, s the digest of the one before, and x and
// y what the parts before that give.
//
// SQLite copies a text for each time that it is named, so a long one is cut twice: else the
// time would be that of its length squared.
func chained(level int, text string, size int, part func(text string) string, digest func(part string) string) string {
	w := weights()
	m := "m" + strconv.Itoa(level)
	next := func(name string, factor, prime int64) string {
		return fmt.Sprintf("(%s*%d+s%%%d)%%%d", name, factor, prime, prime)
	}
	return fmt.Sprintf("(WITH RECURSIVE w%[1]d(n,i,x,y,s,%[2]s) AS (SELECT length(%[3]s),%[4]d,0,0,length(%[3]s),%[5]s UNION ALL "+
		"SELECT n,i+%[4]d,%[6]s,%[7]s,%[8]s,%[9]s FROM w%[1]d WHERE i<n+%[10]d) "+
		"SELECT %[6]s<<31|%[7]s FROM w%[1]d WHERE i>=n+%[10]d)",
		level, m, text, size, part(fmt.Sprintf("substr(%s,1,%d)", text, size)),
		next("x", w[chunks], primeA), next("y", w[chunks+1], primeB), digest(m),
		part(fmt.Sprintf("substr(%s,i+1,%d)", text, size)), size)
}

// long is the digest of a text g of any length.
func long() string {
	return chained(1, "g", sliceChars, func(text string) string { return text }, func(slice string) string {
		return chained(2, slice, blockChars, decimal, block)
	})
}

// digests is a query that gives the columns it is asked to keep, and the digest of each row
// as d. The rows are those of a FROM clause and all that follows it. A subquery with a
// LIMIT is not merged into the one around it, which would compute its columns for every
// time that they are named.
func digests(columns, keep []string, from string) string {
	var kept, list string
	for i, expr := range keep {
		name := "k" + strconv.Itoa(i)
		kept += expr + " AS " + name + ","
		list += name + ","
	}
	return fmt.Sprintf("SELECT %[1]sCASE WHEN length(g)<=%[2]d THEN %[3]s+length(g)*%[4]d ELSE %[5]s END AS d FROM "+
		"(SELECT %[1]sg,%[6]s AS m FROM (SELECT %[7]s%[8]s AS g %[9]s) LIMIT -1) LIMIT -1",
		list, blockChars, block("m"), weights()[chunks], long(),
		decimal(fmt.Sprintf("substr(g,1,%d)", blockChars)), kept, rowText(columns), from)
}

// totals is what a query must select from digests to sum them up: how many there are, and
// two sums below 2^31 for each row, which are exact in JSON for a million of rows.
var totals = fmt.Sprintf("count(*),coalesce(sum((a*a%%%[1]d*a+b)%%%[1]d),0),coalesce(sum((b*b%%%[2]d*b+a)%%%[2]d),0)", primeA, primeB)

// sumUp is a query that sums up digests. With buckets, it does so for each of the values
// that d has in its last bits.
func sumUp(digests string, buckets int) string {
	from := fmt.Sprintf(" FROM (SELECT d,d%%%d AS a,d%%%d AS b FROM (%s))", primeA, primeB, digests)
	if buckets == 0 {
		return "SELECT 0," + totals + from
	}
	return fmt.Sprintf("SELECT d&%d,%s%s GROUP BY 1", buckets-1, totals, from)
}

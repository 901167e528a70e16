package sqltext_test

import (
	"fmt"
	"strconv"

	"github.com/skylite-go/skylite/internal/sqltext"
)

func ExampleSplit() {
	script := `
		INSERT INTO log VALUES ('a;b') RETURNING id; -- one; statement
		CREATE TRIGGER t AFTER INSERT ON log BEGIN
			SELECT CASE new.id WHEN 1 THEN 2 END;
		END;
		WITH old AS (SELECT 1) DELETE FROM log;`
	for _, st := range sqltext.Split(script) {
		fmt.Println(st.Kind, st.Verb, st.ReturnsRows)
	}
	// Output:
	// write INSERT true
	// schema CREATE false
	// write DELETE false
}

func ExampleSplit_empty() {
	fmt.Println(len(sqltext.Split("-- nothing")))
	for _, st := range sqltext.Split("SELECT 1; -- nothing") {
		fmt.Println(st.Kind)
	}
	// Output:
	// 0
	// read
	// empty
}

func ExampleParse() {
	st, err := sqltext.Parse("SELECT :a, ?, :a; -- done")
	fmt.Println(st.Text, st.NumParams(), err)
	_, err = sqltext.Parse("SELECT 1; SELECT 2")
	fmt.Println(err)
	// Output:
	// SELECT :a, ?, :a 2 <nil>
	// SQL text holds more than one statement
}

func ExampleTokens() {
	const sql = "SELECT 'a' -- b"
	for t := range sqltext.Tokens(sql) {
		fmt.Printf("%s %q\n", t.Kind, t.Text(sql))
	}
	// Output:
	// word "SELECT"
	// space " "
	// string "'a'"
	// space " "
	// comment "-- b"
}

func ExampleStatement_ReplaceParams() {
	st, _ := sqltext.Parse("SELECT 7-?, :name")
	values := map[int]int{1: -5}
	fmt.Println(st.ReplaceParams(func(p sqltext.Param) string {
		if v, ok := values[p.Number]; ok {
			return strconv.Itoa(v)
		}
		return p.String()
	}))
	// Output:
	// SELECT 7- -5, :name
}

func ExampleRewriteLimit() {
	r, ok, err := sqltext.RewriteLimit("DELETE FROM log WHERE level = ? ORDER BY time LIMIT 10", nil)
	fmt.Println(ok, err)
	fmt.Println(r.Text)

	_, _, err = sqltext.RewriteLimit("DELETE FROM log ORDER BY time", nil)
	fmt.Println(err)
	// Output:
	// true <nil>
	// DELETE FROM log WHERE rowid IN (SELECT rowid FROM log WHERE level = ? ORDER BY time LIMIT 10)
	// ORDER BY without LIMIT on DELETE
}

func ExampleCache() {
	var cache sqltext.Cache
	for range 2 { // the second time from the cache
		st, err := cache.Parse("SELECT ?")
		fmt.Println(st.Kind, st.NumParams(), err)
	}
	// Output:
	// read 1 <nil>
	// read 1 <nil>
}

func ExampleComplete() {
	fmt.Println(sqltext.Complete("SELECT ';"))
	fmt.Println(sqltext.Complete("SELECT ';';"))
	// Output:
	// false
	// true
}

package dialect_test

import (
	"fmt"
	"log"

	"github.com/skylite-go/skylite/d1/dialect"
)

func ExampleTableOf() {
	type Post struct {
		_      struct{} `ddl:"table=posts"`
		ID     int64    `ddl:"pk"`
		Author int64    `ddl:"index;references=users(id);ondelete=CASCADE"`
		Title  *string
	}
	table, err := dialect.TableOf(Post{})
	if err != nil {
		log.Fatal(err)
	}
	ddl, err := table.DDL()
	if err != nil {
		log.Fatal(err)
	}
	for _, statement := range ddl {
		fmt.Println(statement)
	}
	// Output:
	// CREATE TABLE IF NOT EXISTS "posts" (
	//     "id" INTEGER PRIMARY KEY,
	//     "author" INTEGER NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE,
	//     "title" TEXT
	// )
	// CREATE INDEX IF NOT EXISTS "posts_author" ON "posts" ("author")
}

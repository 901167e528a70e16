package d1_test

import (
	"context"
	"fmt"
	"log"

	"github.com/skylite-go/skylite/d1"
	_ "github.com/skylite-go/skylite/d1/embedded"
)

const schema = `CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE, age INTEGER);
INSERT INTO users (name, age) VALUES ('Ada', 36), ('Grace', 85);`

func Example() {
	ctx := context.Background()
	db, err := d1.Open("file::memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(ctx, schema); err != nil {
		log.Fatal(err)
	}

	meta, err := db.Run(ctx, "INSERT INTO users (name, age) VALUES (?, ?)", "Barbara", 59)
	fmt.Println(meta.LastRowID, meta.Changes, err)

	var name string
	err = db.First(ctx, "SELECT name FROM users WHERE id = ?", 2).Scan(&name)
	fmt.Println(name, err)

	_, err = db.Run(ctx, "INSERT INTO users (name) VALUES (?)", "Ada")
	fmt.Println(err)
	// Output:
	// 3 1 <nil>
	// Grace <nil>
	// d1: UNIQUE constraint failed: users.name: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)
}

func ExampleAll() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	type user struct {
		ID   int64
		Name string
	}
	users, err := d1.All[user](ctx, db, "SELECT id, name FROM users WHERE age > ?", 30)
	fmt.Println(users, err)
	// Output: [{1 Ada} {2 Grace}] <nil>
}

func ExampleFirst() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	fmt.Println(d1.First[int](ctx, db, "SELECT age FROM users WHERE name = ?", "Ada"))
	fmt.Println(d1.First[int](ctx, db, "SELECT age FROM users WHERE name = ?", "Nobody"))
	// Output:
	// 36 <nil>
	// 0 sql: no rows in result set
}

func ExampleEach() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	for name, err := range d1.Each[string](ctx, db, "SELECT name FROM users ORDER BY age DESC") {
		fmt.Println(name, err)
	}
	// Output:
	// Grace <nil>
	// Ada <nil>
}

func ExampleDB_Batch() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	insert := db.Prepare("INSERT INTO users (name, age) VALUES (?, ?)")
	results, err := db.Batch(ctx,
		insert.Bind("Barbara", 59),
		insert.Bind("Frances", 86),
		db.Prepare("SELECT count(*) FROM users"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(results[2].Rows[0][0])

	// One fails, and so nothing of the batch happens.
	_, err = db.Batch(ctx, insert.Bind("Joan", 94), insert.Bind("Ada", 36))
	fmt.Println(err != nil)
	fmt.Println(d1.First[int](ctx, db, "SELECT count(*) FROM users"))
	// Output:
	// 4
	// true
	// 4 <nil>
}

func ExampleDB_Query() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	results, err := db.Query(ctx, "SELECT id, name FROM users")
	if err != nil {
		log.Fatal(err)
	}
	defer results.Close()
	for results.Next() {
		var id int64
		var name string
		if err := results.Scan(&id, &name); err != nil {
			log.Fatal(err)
		}
		fmt.Println(id, name)
	}
	fmt.Println(results.Meta().RowsRead, results.Close())
	// Output:
	// 1 Ada
	// 2 Grace
	// 2 <nil>
}

func exampleDB() *d1.DB {
	db, err := d1.Open("file::memory:")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := db.Exec(context.Background(), schema); err != nil {
		log.Fatal(err)
	}
	return db
}

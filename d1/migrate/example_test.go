package migrate_test

import (
	"context"
	"fmt"
	"log"
	"testing/fstest"

	"github.com/skylite-go/skylite/d1"
	_ "github.com/skylite-go/skylite/d1/embedded"
	"github.com/skylite-go/skylite/d1/migrate"
)

func ExampleRunner_Run() {
	ctx := context.Background()
	db, err := d1.Open("file::memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	runner, err := migrate.New(db, migrate.Values(
		migrate.Migration{Version: 1, Name: "users", SQL: "CREATE TABLE users (id INTEGER PRIMARY KEY)"},
		migrate.Migration{Version: 2, Name: "email", SQL: "ALTER TABLE users ADD COLUMN email TEXT"},
	), migrate.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		result, err := runner.Run(ctx)
		fmt.Println(result.Applied, result.Skipped, err)
	}
	// Output:
	// ["users" (version 1) "email" (version 2)] [] <nil>
	// [] ["users" (version 1) "email" (version 2)] <nil>
}

func ExampleRunner_Plan() {
	db, err := d1.Open("file::memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	files := fstest.MapFS{ // in a program: an embed.FS
		"0001_users.sql": {Data: []byte("CREATE TABLE users (id INTEGER PRIMARY KEY);\nINSERT INTO users VALUES (1);\n")},
	}
	runner, err := migrate.New(db, migrate.Wrangler(files, ""), migrate.Options{})
	if err != nil {
		log.Fatal(err)
	}
	plan, err := runner.Plan(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, batch := range plan.Batches {
		fmt.Println(batch.Name, len(batch.Statements), "statements, the last two:")
		fmt.Println(batch.Statements[1])
		fmt.Println(batch.Statements[2])
	}
	// Output:
	// 0001_users.sql 3 statements, the last two:
	// CREATE TABLE users (id INTEGER PRIMARY KEY)
	// INSERT INTO users VALUES (1)
}

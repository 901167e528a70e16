package d1sql_test

import (
	"database/sql"
	"errors"
	"fmt"
	"log"

	"github.com/skylite-go/skylite/d1"
)

func Example() {
	db, err := sql.Open("d1", "file::memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	_, err = db.Exec(`CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
		INSERT INTO users (name) VALUES (?)`, "Ada")
	if err != nil {
		log.Fatal(err)
	}
	var name string
	err = db.QueryRow("SELECT name FROM users WHERE id = :id", sql.Named("id", 1)).Scan(&name)
	fmt.Println(name, err)

	_, err = db.Exec("INSERT INTO users (name) VALUES (?)", "Ada")
	if e, ok := errors.AsType[*d1.Error](err); ok {
		fmt.Println(e.Code, e.ExtendedCode)
	}
	// Output:
	// Ada <nil>
	// 19 2067
}

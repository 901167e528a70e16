package embedded_test

import (
	"context"
	"fmt"
	"log"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

func ExampleOpen() {
	backend, err := embedded.Open(embedded.Config{}) // in memory
	if err != nil {
		log.Fatal(err)
	}
	db := d1.New(backend)
	defer db.Close()
	_, err = db.Exec(context.Background(), "BEGIN; SELECT 1")
	fmt.Println(d1.First[int](context.Background(), db, "SELECT 1 + ?", 1))
	fmt.Println(err != nil) // as on D1
	// Output:
	// 2 <nil>
	// true
}

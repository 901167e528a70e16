//go:build !js

package ond1_test

import (
	"context"
	"fmt"

	"github.com/skylite-go/skylite/d1"
	_ "github.com/skylite-go/skylite/d1/embedded"
	"github.com/skylite-go/skylite/memory"
	"github.com/skylite-go/skylite/memory/ond1"
)

func Example() {
	ctx := context.Background()
	db, err := d1.Open("file::memory:") // or file:app.db, or d1://ACCOUNT_ID/DATABASE
	if err != nil {
		panic(err)
	}
	defer db.Close()
	store, err := ond1.New(db, ond1.Config{})
	if err != nil {
		panic(err)
	}
	if _, err := store.SaveThread(ctx, memory.Thread{ID: "t1", ResourceID: "ada", Title: "Trip"}); err != nil {
		panic(err)
	}
	if _, err := store.SaveMessages(ctx, []memory.Message{
		{ID: "m1", ThreadID: "t1", ResourceID: "ada", Role: "user", Content: memory.TextContent("Where to?")},
		{ID: "m2", ThreadID: "t1", ResourceID: "ada", Role: "assistant", Content: memory.TextContent("To Oslo.")},
	}); err != nil {
		panic(err)
	}
	last, err := memory.Last(ctx, store, "t1", 10)
	if err != nil {
		panic(err)
	}
	for _, m := range last {
		content, err := memory.ParseContent(m.Content)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s: %s\n", m.Role, content)
	}
	// Output:
	// user: Where to?
	// assistant: To Oslo.
}

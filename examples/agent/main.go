// Agent holds a conversation that goes on where it ended, however often the program is
// started: on a file of this machine or, with another string, on Cloudflare.
//
//	go run ./examples/agent                                 the file agent.db
//	go run ./examples/agent d1://ACCOUNT_ID/DATABASE        Cloudflare's D1
//	go run ./examples/agent "d1://local/app?token=local&base_url=http://127.0.0.1:8787/client/v4"
//
// The last one is a database of skylite dev. A line of input is what the user says. The
// agent is no model: it remembers names, and tells what was said.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	_ "github.com/skylite-go/skylite"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/memory"
	"github.com/skylite-go/skylite/memory/ond1"
)

func main() {
	dsn := "file:agent.db"
	if len(os.Args) > 1 {
		dsn = os.Args[1]
	}
	if err := run(context.Background(), dsn, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		os.Exit(1)
	}
}

const user, thread = "user-1", "first conversation"

// run talks until the input ends.
func run(ctx context.Context, dsn string, in io.Reader, out io.Writer) error {
	db, err := d1.Open(dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	store, err := ond1.New(db, ond1.Config{})
	if err != nil {
		return err
	}
	_, err = store.GetThread(ctx, thread)
	if errors.Is(err, memory.ErrNotFound) {
		_, err = store.SaveThread(ctx, memory.Thread{ID: thread, ResourceID: user})
	}
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		text, err := answer(ctx, store, lines.Text())
		if err != nil {
			return err
		}
		fmt.Fprintln(out, text)
		// Both messages, or none.
		if _, err := store.SaveMessages(ctx, []memory.Message{
			{ID: memory.NewID(), ThreadID: thread, ResourceID: user, Role: "user", Content: memory.TextContent(lines.Text())},
			{ID: memory.NewID(), ThreadID: thread, ResourceID: user, Role: "assistant", Content: memory.TextContent(text)},
		}); err != nil {
			return err
		}
	}
	return lines.Err()
}

// answer is where a program would ask a model.
func answer(ctx context.Context, store memory.Store, said string) (string, error) {
	if name, ok := strings.CutPrefix(said, "My name is "); ok {
		name = strings.TrimRight(name, ".!")
		_, err := store.UpdateMetadata(ctx, user, memory.MetadataUpdate{WorkingMemory: &name})
		return "Hello " + name + ".", err
	}
	known, err := store.GetMetadata(ctx, user)
	if err != nil && !errors.Is(err, memory.ErrNotFound) {
		return "", err
	}
	last, err := memory.Last(ctx, store, thread, 2)
	if err != nil || len(last) == 0 {
		return "We have not met.", err
	}
	content, err := memory.ParseContent(last[0].Content)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, before that you said: %s", known.WorkingMemory, content), nil
}

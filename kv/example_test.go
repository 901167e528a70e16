package kv_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"strconv"
	"time"

	_ "github.com/skylite-go/skylite/d1/embedded" // where the database is
	"github.com/skylite-go/skylite/kv"
	_ "github.com/skylite-go/skylite/kv/ond1" // file: with a namespace
)

func Example() {
	ctx := context.Background()
	ns, err := kv.Open("file::memory:?namespace=sessions")
	if err != nil {
		log.Fatal(err)
	}
	defer ns.Close()

	err = ns.Put(ctx, "user:7", []byte("Ada"), kv.PutOptions{TTL: time.Hour, Metadata: map[string]string{"role": "admin"}})
	if err != nil {
		log.Fatal(err)
	}
	entry, err := ns.GetWithMetadata(ctx, "user:7")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s %s\n", entry.Value, entry.Metadata)

	_, err = ns.Get(ctx, "user:8")
	fmt.Println(errors.Is(err, kv.ErrNotFound), errors.Is(err, fs.ErrNotExist))
	// Output:
	// Ada {"role":"admin"}
	// true true
}

func ExampleAll() {
	ctx := context.Background()
	ns, err := kv.Open("file::memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer ns.Close()
	for _, key := range []string{"b", "a:2", "a:1"} {
		if err := kv.PutString(ctx, ns, key, "", kv.PutOptions{}); err != nil {
			log.Fatal(err)
		}
	}
	for key, err := range kv.All(ctx, ns, kv.ListOptions{Prefix: "a:"}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(key.Name)
	}
	// Output:
	// a:1
	// a:2
}

func ExampleGetJSON() {
	ctx := context.Background()
	ns, err := kv.Open("file::memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer ns.Close()
	type user struct{ Name string }
	if err := kv.PutJSON(ctx, ns, "user:7", user{"Ada"}, kv.PutOptions{}); err != nil {
		log.Fatal(err)
	}
	u, err := kv.GetJSON[user](ctx, ns, "user:7")
	fmt.Println(u.Name, err)
	// Output: Ada <nil>
}

func ExampleUpdate() {
	ctx := context.Background()
	ns, err := kv.Open("file::memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer ns.Close()
	double := func(old *kv.Entry) ([]byte, kv.PutOptions, error) {
		if old == nil {
			return []byte("1"), kv.PutOptions{}, nil
		}
		n, err := strconv.Atoi(string(old.Value))
		return []byte(strconv.Itoa(2 * n)), kv.PutOptions{}, err
	}
	for range 5 {
		if err := kv.Update(ctx, ns.(kv.Swapper), "n", double); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(kv.GetString(ctx, ns, "n"))
	// Output: 16 <nil>
}

func ExampleCounter() {
	ctx := context.Background()
	ns, err := kv.Open("file::memory:?namespace=limits")
	if err != nil {
		log.Fatal(err)
	}
	defer ns.Close()
	counter := ns.(kv.Counter)
	for range 3 {
		n, err := counter.Add(ctx, "calls:ada", 1, kv.PutOptions{TTL: 10 * time.Second})
		fmt.Println(n <= 2, err)
	}
	// Output:
	// true <nil>
	// true <nil>
	// false <nil>
}

func ExampleQuerier() {
	ctx := context.Background()
	ns, err := kv.Open("file::memory:?namespace=users")
	if err != nil {
		log.Fatal(err)
	}
	defer ns.Close()
	for name, role := range map[string]string{"ada": "admin", "bob": "user", "eve": "user"} {
		if err := ns.Put(ctx, name, nil, kv.PutOptions{Metadata: map[string]string{"role": role}}); err != nil {
			log.Fatal(err)
		}
	}
	for key, err := range ns.(kv.Querier).Query(ctx, "metadata->>'$.role' = ? ORDER BY name", "user") {
		fmt.Println(key.Name, err)
	}
	// Output:
	// bob <nil>
	// eve <nil>
}

func ExamplePutOptions() {
	_, err := kv.EncodeMetadata(json.RawMessage(`{"not": JSON}`))
	fmt.Println(err != nil)
	// Output: true
}

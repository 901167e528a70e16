package server_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"

	"github.com/skylite-go/skylite/server"
)

// The API without a network: the client cannot tell the difference.
func ExampleServer_Transport() {
	srv, err := server.New(server.Config{}) // in memory
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()

	client := &http.Client{Transport: srv.Transport()}
	req, err := http.NewRequest("POST",
		"https://api.cloudflare.com/client/v4/accounts/"+server.DefaultAccountID+"/d1/database/nope/query",
		strings.NewReader(`{"sql":"SELECT 1"}`))
	if err != nil {
		log.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer any")
	resp, err := client.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.StatusCode, string(body))
	// Output:
	// 400 {"result":null,"success":false,"errors":[{"code":7400,"message":"Invalid property: databaseId => Invalid uuid"}],"messages":[]}
}

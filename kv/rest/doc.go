// Package rest is Workers KV over Cloudflare's REST API.
//
//	ns, err := kv.Open("kv://ACCOUNT_ID/NAMESPACE_ID") // the token is CLOUDFLARE_API_TOKEN
//	ns, err := rest.Open(rest.Config{AccountID: …, NamespaceID: …, API: cloudflare.FromEnv()})
//
// Any key arrives as it is, "a/b?c#d %" and "ключ" too. Metadata may be any JSON.
//
// # Requests
//
// Get, Put, Delete and List are one request each. GetWithMetadata and the reading of many
// keys are one too, if the values are texts: the service reads many keys as texts only, so
// that bytes which are no UTF-8 are read again, one key at a time. A [kv.Batcher] writes up
// to 10,000 keys in one request for the puts and one for the deletions. The API allows
// 1,200 requests in five minutes to a user, all products together, so batches matter; with
// [Config.Coalesce] puts and deletions that arrive together leave together.
//
// All calls of KV come to the same when they run twice, so all are sent again after faults
// that pass, as package cloudflare describes. One that failed all the same may have been
// done; see [kv.Ambiguous].
//
// # Namespaces
//
// [Namespaces] creates, lists, renames and deletes namespaces.
package rest

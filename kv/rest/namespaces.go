package rest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/kv"
)

// Namespaces are the namespaces of an account. It is safe for concurrent use.
type Namespaces struct {
	client *cloudflare.Client
	path   string
}

// NewNamespaces returns the namespaces of an account. NamespaceID of the Config is not used.
func NewNamespaces(cfg Config) (*Namespaces, error) {
	cfg.NamespaceID = "none"
	if err := cfg.check(); err != nil {
		return nil, err
	}
	client, err := cfg.client()
	if err != nil {
		return nil, err
	}
	return &Namespaces{client: client, path: namespacesPath(cfg.AccountID)}, nil
}

// Info is what the service says of a namespace.
type Info struct {
	// ID has 32 hexadecimal digits.
	ID string `json:"id"`
	// Title is the namespace's name, unique in the account.
	Title string `json:"title"`
	// SupportsURLEncoding says that keys are escaped in URLs; all but very old ones do.
	SupportsURLEncoding bool `json:"supports_url_encoding"`
}

// ErrTitleTaken means that another namespace has the title.
var ErrTitleTaken = errors.New("kv: a namespace with this title already exists")

const codeTitleTaken = 10014

// All yields the account's namespaces in the order of their titles. An error is yielded last.
func (n *Namespaces) All(ctx context.Context) iter.Seq2[Info, error] {
	const perPage = 100
	return func(yield func(Info, error) bool) {
		for page := 1; ; page++ {
			var infos []Info
			_, err := n.client.Request(ctx, cloudflare.Call{Path: n.path, Query: url.Values{
				"page": {strconv.Itoa(page)}, "per_page": {strconv.Itoa(perPage)}, "order": {"title"}, "direction": {"asc"},
			}}, &infos)
			if err != nil {
				yield(Info{}, convert("list namespaces", "", err))
				return
			}
			for _, info := range infos {
				if !yield(info, nil) {
					return
				}
			}
			if len(infos) < perPage {
				return
			}
		}
	}
}

// ByTitle returns the namespace that has a title, or an error that is [kv.ErrNotFound].
func (n *Namespaces) ByTitle(ctx context.Context, title string) (Info, error) {
	for info, err := range n.All(ctx) {
		if err != nil || info.Title == title {
			return info, err
		}
	}
	return Info{}, fmt.Errorf("kv: namespace %q: %w", title, kv.ErrNotFound)
}

// Get returns a namespace by its id.
func (n *Namespaces) Get(ctx context.Context, id string) (Info, error) {
	return n.one(ctx, "get namespace", cloudflare.Call{}, id)
}

// Create makes a namespace. If the title is taken, the error is [ErrTitleTaken].
func (n *Namespaces) Create(ctx context.Context, title string) (Info, error) {
	var info Info
	_, err := n.client.Request(ctx, cloudflare.Call{
		Method: http.MethodPost, Path: n.path, Body: map[string]string{"title": title}}, &info)
	return info, titleError("create namespace", err)
}

// Rename gives a namespace another title.
func (n *Namespaces) Rename(ctx context.Context, id, title string) (Info, error) {
	info, err := n.one(ctx, "rename namespace", cloudflare.Call{
		Method: http.MethodPut, Body: map[string]string{"title": title}, Class: cloudflare.ClassIdempotent}, id)
	if err == nil && info.ID == "" { // the service may answer without the namespace
		info = Info{ID: id, Title: title}
	}
	return info, err
}

// Delete deletes a namespace with all that is in it.
func (n *Namespaces) Delete(ctx context.Context, id string) error {
	_, err := n.one(ctx, "delete namespace", cloudflare.Call{Method: http.MethodDelete}, id)
	return err
}

func (n *Namespaces) one(ctx context.Context, op string, call cloudflare.Call, id string) (Info, error) {
	var info Info
	if id == "" { // the path would be that of the list
		return info, &kv.Error{Op: op, Message: "the namespace's id is missing", Outcome: kv.OutcomeUnsent}
	}
	call.Path = n.path + "/" + url.PathEscape(id)
	_, err := n.client.Request(ctx, call, &info)
	return info, titleError(op, err)
}

func titleError(op string, err error) error {
	if e, ok := errors.AsType[*cloudflare.APIError](err); ok && e.HasCode(codeTitleTaken) {
		return fmt.Errorf("%w: %w", ErrTitleTaken, convert(op, "", err))
	}
	return convert(op, "", err)
}

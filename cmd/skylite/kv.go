package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/cmd/skylite/internal/wrangler"
	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/kv/rest"
)

func (a *app) kv() *cobra.Command {
	return a.group(&cobra.Command{
		Use:   "kv",
		Short: "Make and use Workers KV namespaces",
		Long: `Make and use Workers KV namespaces, in the data folder or, with --remote, on Cloudflare.
'skylite dev' may be serving the folder at the same time.

Names, arguments and flags are those of wrangler kv. A namespace is chosen by
--namespace-id, or by --binding: the name that the Worker's configuration (wrangler.jsonc or
wrangler.toml) gives it, or else its title.`,
		Example: `  skylite kv namespace create sessions
  skylite kv key put user:7 Ada --binding sessions --ttl 3600
  skylite kv key get user:7 --binding sessions
  skylite kv export --binding sessions > sessions.ndjson`,
	}, a.kvNamespace(), a.kvKey(), a.kvBulk(), a.kvExport(), a.kvImport(), a.kvPush(), a.kvPull())
}

func (a *app) kvNamespace() *cobra.Command {
	return a.group(&cobra.Command{Use: "namespace", Short: "Make, list, rename and delete namespaces"},
		a.kvNamespaceCreate(), a.kvNamespaceList(), a.kvNamespaceRename(), a.kvNamespaceDelete())
}

func (a *app) kvKey() *cobra.Command {
	return a.group(&cobra.Command{Use: "key", Short: "Put, get, list and delete keys"},
		a.kvKeyPut(), a.kvKeyGet(), a.kvKeyList(), a.kvKeyDelete())
}

func (a *app) kvBulk() *cobra.Command {
	return a.group(&cobra.Command{Use: "bulk", Short: "Put, get and delete many keys, which a JSON file lists"},
		a.kvBulkPut(), a.kvBulkGet(), a.kvBulkDelete())
}

// namespaceFlags choose a namespace, and the place where it is.
type namespaceFlags struct {
	app         *app
	place       placeFlags
	id, binding string
	titled      bool // binding is a title and nothing else
	preview     bool
}

func (f *namespaceFlags) register(a *app, cmd *cobra.Command) {
	f.place.register(cmd)
	f.selectors(a, cmd)
}

func (f *namespaceFlags) selectors(a *app, cmd *cobra.Command) {
	f.app = a
	cmd.Flags().StringVar(&f.id, "namespace-id", "", "the namespace's `id`")
	cmd.Flags().StringVar(&f.binding, "binding", "", "the namespace's `name` in the Worker's configuration, or its title")
	cmd.Flags().BoolVar(&f.preview, "preview", false, "the namespace whose title has _preview behind it")
	_ = cmd.RegisterFlagCompletionFunc("binding", a.completeNamespace(&f.place)) // fails only for a flag that is not there
}

func previewTitle(title string, preview bool) string {
	if preview {
		return title + "_preview"
	}
	return title
}

// check reports a choice that is none.
func (f *namespaceFlags) check() error {
	switch {
	case f.id == "" && f.binding == "":
		return usage(nil, "the namespace is missing: give --namespace-id or --binding")
	case f.id != "" && f.binding != "":
		return usage(nil, "--namespace-id and --binding cannot be used together")
	}
	return nil
}

// namespaces returns the namespaces of a place.
func (p *place) namespaces() (*rest.Namespaces, error) {
	return rest.NewNamespaces(rest.Config{Client: p.client, AccountID: p.account})
}

// find returns the namespace that the flags choose.
func (f *namespaceFlags) find(ctx context.Context, p *place) (rest.Info, error) {
	list, err := p.namespaces()
	if err != nil {
		return rest.Info{}, err
	}
	id := f.id
	if id == "" {
		if id, err = f.configured(); err != nil {
			return rest.Info{}, err
		}
	}
	if id != "" {
		info, err := list.Get(ctx, id)
		if e, ok := errors.AsType[*kv.Error](err); ok && (e.Code == codeNoNamespace || e.Code == codeBadNamespace) {
			return info, p.noNamespace(id)
		}
		return info, err
	}
	title := previewTitle(f.binding, f.preview)
	info, err := list.ByTitle(ctx, title)
	if errors.Is(err, kv.ErrNotFound) {
		return info, p.noNamespace(title)
	}
	return info, err
}

// configured returns the ID that the Worker's configuration has for the binding, or "".
func (f *namespaceFlags) configured() (string, error) {
	if f.titled {
		return "", nil
	}
	file, err := wrangler.Find(".")
	if err != nil || file == "" {
		return "", err
	}
	config, err := wrangler.Read(file, f.app.getenv("CLOUDFLARE_ENV"))
	if err != nil {
		return "", err
	}
	return config.NamespaceID(f.binding, f.preview), nil
}

// Codes of the API's errors.
const (
	codeBadNamespace = 10011
	codeNoNamespace  = 10013
)

func (p *place) noNamespace(name string) error {
	flag := ""
	if p.remote {
		flag = " --remote"
	}
	return withHint(fmt.Errorf("there is no namespace %q in %s", name, p.where),
		fmt.Sprintf("see those there are with: skylite kv namespace list%s; make it with: skylite kv namespace create %s%s",
			flag, quoteShell(name), flag))
}

// with opens the namespace that the flags choose, and does something with it.
func (a *app) with(ctx context.Context, f *namespaceFlags, do func(p *place, ns *rest.Namespace) error) error {
	return a.found(ctx, f, func(p *place, info rest.Info) error {
		ns, err := rest.Open(rest.Config{Client: p.client, AccountID: p.account, NamespaceID: info.ID})
		if err != nil {
			return err
		}
		defer ns.Close() // it has nothing of its own to free
		return do(p, ns)
	})
}

// found does something with the namespace that the flags name.
func (a *app) found(ctx context.Context, f *namespaceFlags, do func(p *place, info rest.Info) error) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	p, err := a.open(&f.place, false)
	if err != nil {
		return err
	}
	defer closing(p, &err)
	info, err := f.find(ctx, p)
	if err != nil {
		return err
	}
	return do(p, info)
}

// completeNamespace offers the titles of the namespaces.
func (a *app) completeNamespace(f *placeFlags) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		p, err := a.open(f, false)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		defer p.Close()
		list, err := p.namespaces()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), 2*time.Second)
		defer cancel()
		var titles []cobra.Completion
		for info, err := range list.All(ctx) {
			if err != nil {
				return nil, cobra.ShellCompDirectiveError
			}
			titles = append(titles, info.Title)
		}
		return titles, cobra.ShellCompDirectiveNoFileComp
	}
}

// readInput reads a file, or standard input if its name is "-".
func (a *app) readInput(ctx context.Context, name string) ([]byte, error) {
	if name == "-" {
		text, err := a.readStdin(ctx)
		return []byte(text), err
	}
	return os.ReadFile(name)
}

// openInput opens a file, or standard input if its name is "-".
func (a *app) openInput(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(a.stdin), nil
	}
	return os.Open(name)
}

// readNames reads a JSON array of keys, each a string or an object with a name or a key.
func readNames(data []byte) ([]string, error) {
	var elements []json.RawMessage
	if err := json.Unmarshal(bytes.TrimPrefix(data, []byte("\uFEFF")), &elements); err != nil {
		return nil, fmt.Errorf("the file must be a JSON array of keys: %w", err)
	}
	names := make([]string, len(elements))
	for i, element := range elements {
		var object struct{ Name, Key *string }
		switch {
		case json.Unmarshal(element, &names[i]) == nil:
		case json.Unmarshal(element, &object) == nil && object.Name != nil:
			names[i] = *object.Name
		case json.Unmarshal(element, &object) == nil && object.Key != nil:
			names[i] = *object.Key
		default:
			return nil, fmt.Errorf("element %d of the file is neither a string nor an object with a name: %.60s", i+1, element)
		}
	}
	return names, nil
}

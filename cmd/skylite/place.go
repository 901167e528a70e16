package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/rest"
	"github.com/skylite-go/skylite/server"
)

// defaultData is the data folder if nothing else is said.
const defaultData = ".skylite"

// placeFlags say where a command's databases live.
type placeFlags struct {
	local, remote, wrangler bool
	data                    string
	config                  *configFlags // for wrangler
}

func (f *placeFlags) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.local, "local", false, "act on the data folder (the default)")
	cmd.Flags().BoolVar(&f.remote, "remote", false, "act on Cloudflare")
	cmd.Flags().StringVar(&f.data, "data", "", dataUsage)
	_ = cmd.MarkFlagDirname("data") // fails only for a flag that is not there
}

const dataUsage = "the data `folder`, also --persist-to (default: $SKYLITE_DATA, or else " + defaultData + ")"

// dataFolder returns the folder that a flag or else the environment names.
func (a *app) dataFolder(flag string) string {
	for _, folder := range []string{flag, a.getenv("SKYLITE_DATA")} {
		if folder != "" {
			return folder
		}
	}
	return defaultData
}

// place is where databases live: a data folder or Cloudflare. Both are managed with the
// same client of the API; a folder's server runs inside this process and needs no
// network, whether or not others are serving the folder too. What is in its databases is
// reached without the API.
type place struct {
	*rest.Databases
	client  *cloudflare.Client
	account string
	// where names the place in messages.
	where    string
	remote   bool
	server   *server.Server // of a data folder
	wrangler *wranglerState // of --wrangler
}

// open opens the place that the flags say. Only a command that makes something makes a
// data folder too.
func (a *app) open(f *placeFlags, makes bool) (*place, error) {
	switch {
	case f.local && f.remote:
		return nil, usage(nil, "--local and --remote cannot be used together")
	case f.wrangler && f.remote:
		return nil, usage(nil, "--wrangler and --remote cannot be used together")
	case f.wrangler:
		return a.openWrangler(f)
	case f.remote && f.data != "":
		return nil, usage(nil, "--remote and --data cannot be used together")
	case f.remote:
		return openRemote()
	}
	return a.openLocal(a.dataFolder(f.data), makes)
}

func openRemote() (*place, error) {
	client, err := cloudflare.New(cloudflare.FromEnv())
	if err != nil {
		return nil, err
	}
	p := &place{client: client, account: cloudflare.AccountIDFromEnv(), where: "Cloudflare", remote: true}
	if p.account == "" {
		return nil, withHint(errors.New("the account is not known: CLOUDFLARE_ACCOUNT_ID is not set"),
			"the account ID is in the address of https://dash.cloudflare.com")
	}
	return p.ready()
}

func (a *app) openLocal(folder string, makes bool) (*place, error) {
	cfg := server.Config{
		DataDir: folder,
		// What guards a service from its clients would only be in the way here.
		MaxBodyBytes: math.MaxInt64 - 1, QueryTimeout: -1, ReadTimeout: -1, WriteTimeout: -1,
		Logger: slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	}
	if _, err := os.Stat(filepath.Join(folder, "catalog.sqlite")); errors.Is(err, fs.ErrNotExist) && !makes {
		cfg.DataDir = "" // there are no databases, and in memory neither
	}
	srv, err := server.New(cfg)
	if err != nil {
		return nil, adviseFolder(err)
	}
	client, err := cloudflare.New(cloudflare.Config{
		APIToken: "local", BaseURL: "http://localhost/client/v4", MaxRetries: -1, Timeout: -1,
		HTTPClient: &http.Client{Transport: rayless{srv.Transport()}},
	})
	if err != nil {
		return nil, errors.Join(err, srv.Close())
	}
	p := &place{client: client, account: server.DefaultAccountID, where: folder, server: srv}
	return p.ready()
}

// adviseFolder adds what to do about a data folder that cannot be opened, if that is
// what is wrong.
func adviseFolder(err error) error {
	if !strings.HasPrefix(err.Error(), "open data folder ") {
		return err
	}
	return withHint(err, "choose another data folder with --data or SKYLITE_DATA")
}

func (p *place) ready() (*place, error) {
	var err error
	p.Databases, err = rest.NewDatabases(rest.Config{Client: p.client, AccountID: p.account})
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// Close gives the place up. What was done in it is on disk.
func (p *place) Close() error {
	if p.wrangler != nil {
		return nil
	}
	p.client.Close()
	if p.server == nil {
		return nil
	}
	return p.server.Close()
}

// find returns the database of an ID or a name. Only UUID and Name are sure to be set:
// the list tells them without opening the database, which may be broken.
func (p *place) find(ctx context.Context, nameOrID string) (rest.Database, error) {
	opts := rest.ListOptions{Name: nameOrID}
	if uuidForm.MatchString(nameOrID) {
		opts.Name = "" // the filter knows names only
	}
	for db, err := range p.List(ctx, opts) {
		switch {
		case err != nil:
			return rest.Database{}, err
		case strings.EqualFold(db.UUID, nameOrID) || db.Name == nameOrID:
			return db, nil
		}
	}
	return rest.Database{}, p.notFound(nameOrID)
}

func (p *place) notFound(nameOrID string) error {
	if p.wrangler != nil {
		return p.wrangler.notFound(nameOrID)
	}
	flag := ""
	if p.remote {
		flag = " --remote"
	}
	return withHint(fmt.Errorf("there is no database %q in %s", nameOrID, p.where),
		fmt.Sprintf("see those there are with: skylite d1 list%s; make it with: skylite d1 create %s%s", flag, quoteShell(nameOrID), flag))
}

// database returns a database to run SQL in.
func (p *place) database(ctx context.Context, nameOrID string) (*d1.DB, error) {
	if p.wrangler != nil {
		return p.wrangler.open(nameOrID)
	}
	found, err := p.find(ctx, nameOrID)
	if err != nil {
		return nil, err
	}
	backend, err := p.backend(ctx, found.UUID)
	if err != nil {
		return nil, err
	}
	return d1.New(backend), nil
}

func (p *place) backend(ctx context.Context, id string) (d1.Backend, error) {
	if p.server != nil {
		return p.server.Database(ctx, id)
	}
	return rest.Open(rest.Config{Client: p.client, AccountID: p.account, DatabaseID: id})
}

// rayless takes the ray off answers. It is for Cloudflare's support, and in messages
// about local databases it would only be noise.
type rayless struct{ http.RoundTripper }

func (t rayless) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.RoundTripper.RoundTrip(req)
	if err == nil {
		resp.Header.Del("Cf-Ray")
	}
	return resp, err
}

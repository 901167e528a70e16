package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/server"
	"github.com/skylite-go/skylite/server/localca"
)

type devCommand struct {
	*app
	addr, data, token   string
	memory, https       bool
	logLevel, logFormat string
	retention           time.Duration
	server              server.Config
}

func (a *app) dev() *cobra.Command {
	c := &devCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "dev [flags]",
		Short: "Serve Cloudflare's API over a folder on this machine",
		Long: `Serve Cloudflare's API over a folder on this machine, until Ctrl-C. A second Ctrl-C
does not wait for requests that are under way.

Standard output tells a shell how other tools find the server: wrangler, the SDKs and
skylite itself. Requests are logged on standard error.

Without a token only programs on this machine can connect, and any token will do. With
one, given by --token or better by SKYLITE_TOKEN, every request must carry it.`,
		Example: `  skylite dev
  skylite dev --addr 127.0.0.1:0 --memory
  SKYLITE_TOKEN=secret skylite dev --addr 0.0.0.0:8787`,
		ValidArgsFunction: cobra.NoFileCompletions,
	}, nil, c.run)
	flags := cmd.Flags()
	flags.StringVar(&c.addr, "addr", "127.0.0.1:8787", "the `address` to listen on; port 0 is any that is free")
	flags.StringVar(&c.data, "data", "", dataUsage)
	flags.BoolVar(&c.memory, "memory", false, "keep everything in memory, and forget it at the end")
	flags.StringVar(&c.token, "token", "", "the only `token` that is accepted (default: $SKYLITE_TOKEN, or else any)")
	flags.BoolVar(&c.https, "https", false, "serve https, with a certificate authority made for this folder")
	flags.StringVar(&c.logLevel, "log-level", "info", "what to log: debug, info, warn or error")
	flags.StringVar(&c.logFormat, "log-format", "text", "how to log: text or json")
	flags.StringVar(&c.server.AccountID, "account-id", "", "the only account `id` that is accepted (default: any)")
	flags.StringSliceVar(&c.server.Hosts, "allow-host", nil, "another `name` that clients may call this machine by")
	flags.StringSliceVar(&c.server.Origins, "allow-origin", nil, "a web `origin`, such as http://localhost:3000, whose pages may connect")
	flags.DurationVar(&c.server.KVStale, "kv-stale", 0, "read KV values as old as they may be far from the writer, such as 60s")
	flags.IntVar(&c.server.Replicas, "replicas", 0, "let each database have read replicas, `n` of them, for sessions over the bridge's protocol")
	flags.DurationVar(&c.server.Lag, "lag", 500*time.Millisecond, "how far replicas may be behind")
	flags.DurationVar(&c.retention, "time-travel-retention", 30*24*time.Hour, "for how long past states can be restored; 0 keeps no history")
	flags.Var(simulation{&c.server.Simulate}, "simulate", simulateUsage)
	flags.BoolVar(&c.server.Switches.LenientParams, "lenient-params", false,
		"accept empty params beside several statements, which Cloudflare refuses")
	return cmd
}

func (c *devCommand) run(ctx context.Context, _ []string) error {
	if err := c.configure(); err != nil {
		return err
	}
	srv, err := server.New(c.server)
	if err != nil {
		return adviseFolder(err)
	}
	listener, err := srv.Listen(c.addr)
	if err != nil {
		return errors.Join(c.adviseListen(err), srv.Close())
	}
	caPath := ""
	if c.https {
		certificates, err := c.certificates(listener.Addr())
		if err != nil {
			return errors.Join(err, listener.Close(), srv.Close())
		}
		caPath = certificates.CAPath
		listener = tls.NewListener(listener, certificates.TLS)
	}
	if err := c.announce(listener.Addr(), caPath); err != nil {
		return errors.Join(err, listener.Close(), srv.Close())
	}
	stop := context.AfterFunc(ctx, func() { c.server.Logger.Info("waiting for requests under way; press Ctrl-C again to abort") })
	defer stop()
	return srv.Serve(ctx, listener)
}

// configure completes the server's configuration.
func (c *devCommand) configure() error {
	if c.memory && (c.data != "" || c.https) {
		return usage(nil, "--memory cannot be used together with --data or with --https, whose certificates need a folder")
	}
	if c.server.Replicas < 0 || c.server.Replicas > 16 || c.server.Lag <= 0 {
		return usage(nil, "--replicas is a number from 0 to 16, and --lag a time such as 500ms")
	}
	if c.memory && c.server.Replicas > 0 {
		return usage(nil, "--memory cannot be used together with --replicas, which need a folder")
	}
	if c.retention < 0 {
		return usage(nil, "--time-travel-retention is a time such as 720h, or 0")
	}
	if c.server.Retention = c.retention; c.retention == 0 {
		c.server.Retention = -1
	}
	var level slog.Level
	if err := oneOf("log-level", c.logLevel, []string{"debug", "info", "warn", "error"}); err != nil {
		return err
	}
	if err := oneOf("log-format", c.logFormat, []string{"text", "json"}); err != nil {
		return err
	}
	if err := level.UnmarshalText([]byte(c.logLevel)); err != nil {
		return err
	}
	opts := &slog.HandlerOptions{Level: level}
	c.server.Logger = slog.New(slog.NewTextHandler(c.stderr, opts))
	if c.logFormat == "json" {
		c.server.Logger = slog.New(slog.NewJSONHandler(c.stderr, opts))
	}
	if !c.memory {
		c.server.DataDir = c.dataFolder(c.data)
	}
	c.server.Token = cmp.Or(c.token, c.getenv("SKYLITE_TOKEN"))
	return nil
}

// certificates returns what https needs. They are kept beside the databases, so that
// clients have to be told only once whom to trust.
func (c *devCommand) certificates(addr net.Addr) (*localca.Certificates, error) {
	hosts := c.server.Hosts
	if tcp, ok := addr.(*net.TCPAddr); ok && !tcp.IP.IsUnspecified() {
		hosts = append(hosts, tcp.IP.String())
	}
	dir, err := filepath.Abs(filepath.Join(c.server.DataDir, "ca"))
	if err != nil {
		return nil, err
	}
	return localca.Load(localca.Config{Dir: dir, Hosts: hosts})
}

// adviseListen adds what to do about an address that cannot be listened on.
func (c *devCommand) adviseListen(err error) error {
	if _, malformed := errors.AsType[*net.AddrError](err); malformed {
		return withHint(err, "an address is written as 127.0.0.1:8787")
	}
	if errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, windowsAddrInUse) {
		return withHint(err, "another program uses it; choose another with --addr, or a free one with --addr 127.0.0.1:0")
	}
	if c.server.Token == "" {
		return withHint(err, "--addr is for addresses of this machine; SKYLITE_TOKEN=… makes others safe to use")
	}
	return err
}

// windowsAddrInUse is WSAEADDRINUSE, which Go does not take for EADDRINUSE.
const windowsAddrInUse = syscall.Errno(10048)

// announce tells a shell how clients find the server. The token is not repeated: who
// needs it has it.
func (c *devCommand) announce(addr net.Addr, caPath string) error {
	base := baseURL(addr, c.https)
	where := cmp.Or(c.server.DataDir, "memory")
	fmt.Fprintf(c.out, "# skylite serves %q on %s\n", where, base)
	for _, name := range []string{"CLOUDFLARE_API_BASE_URL", "CLOUDFLARE_BASE_URL"} {
		fmt.Fprintf(c.out, "export %s=%s/client/v4\n", name, base)
	}
	switch {
	case c.token != "":
		fmt.Fprintln(c.out, "# export CLOUDFLARE_API_TOKEN=(the token that was given)")
	case c.server.Token != "":
		fmt.Fprintln(c.out, `export CLOUDFLARE_API_TOKEN="$SKYLITE_TOKEN"`)
	default:
		fmt.Fprintln(c.out, "export CLOUDFLARE_API_TOKEN=local")
	}
	fmt.Fprintf(c.out, "export CLOUDFLARE_ACCOUNT_ID=%s\n", quoteShell(cmp.Or(c.server.AccountID, server.DefaultAccountID)))
	if caPath != "" {
		fmt.Fprintf(c.out, "export NODE_EXTRA_CA_CERTS=%s\n", quoteShell(caPath))
	}
	return c.out.Flush()
}

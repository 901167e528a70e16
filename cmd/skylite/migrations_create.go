package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

type migrationsCreateCommand struct {
	*app
	flags migrationFlags
	down  bool
}

func (a *app) migrationsCreate() *cobra.Command {
	c := &migrationsCreateCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "create <database> <message> [flags]",
		Short: "Make an empty migration",
		Long: `Make an empty migration, NNNN_message.sql, in the database's folder, and print its path.
The number is one more than the highest there.`,
		Example:           `  skylite d1 migrations create app "add users"`,
		ValidArgsFunction: cobra.NoFileCompletions,
	}, []string{"database", "message"}, c.run)
	c.flags.register(cmd)
	cmd.Flags().BoolVar(&c.down, "down", false, "make a file that undoes it too")
	return cmd
}

func (c *migrationsCreateCommand) run(_ context.Context, args []string) error {
	p, err := c.project(&c.flags, args[0])
	if err != nil {
		return err
	}
	name, number, err := p.next(args[1])
	if err != nil {
		return err
	}
	head := fmt.Sprintf("-- Migration number: %s \t %s\n", number, jsonTime(time.Now()))
	if err := p.create(name+".sql", head); err != nil {
		return err
	}
	fmt.Fprintln(c.out, filepath.Join(relative(p.dir), name+".sql"))
	if !c.down {
		return nil
	}
	down := name + ".down.sql"
	if p.source == "wrangler" {
		down = filepath.Join("down", down)
	}
	fmt.Fprintln(c.out, filepath.Join(relative(p.dir), down))
	return p.create(down, "-- Undoes migration number: "+number+"\n")
}

// next returns the name, without .sql, and the number of the next migration.
func (p *project) next(message string) (name, number string, err error) {
	switch {
	case p.source == "drizzle":
		return "", "", withHint(errors.New("drizzle-kit makes the migrations of its folder"), "drizzle-kit generate, or drizzle-kit generate --custom")
	case strings.HasSuffix(p.pattern, "/migration.sql"):
		return "", "", withHint(fmt.Errorf("with the pattern %q each migration has a folder of its own", p.pattern), "drizzle-kit generate makes them")
	case strings.ContainsAny(message, `/\`):
		return "", "", usage(nil, "the message %q has a path separator", message)
	case strings.TrimSpace(message) == "":
		return "", "", usage(nil, "the message is empty")
	}
	entries, err := os.ReadDir(p.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", "", err
	}
	highest := 0
	for _, e := range entries {
		digits, _, _ := strings.Cut(e.Name(), "_")
		if n, err := strconv.Atoi(digits); err == nil && strings.HasSuffix(e.Name(), ".sql") {
			highest = max(highest, n)
		}
	}
	number = fmt.Sprintf("%04d", highest+1)
	return number + "_" + strings.ReplaceAll(message, " ", "_"), number, nil
}

// create makes a file, which must not be there yet.
func (p *project) create(name, text string) error {
	file := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

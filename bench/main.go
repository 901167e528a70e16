// Command bench measures Skylite beside its peers and its floors, and prints one table.
//
//	cd bench && go run .
//
// Every contest has its subjects run by turns, in an order that rotates, so that what
// else the machine does falls on all of them. A figure is the median of the turns; a
// ratio is the median of the ratios within each turn, with the least and the greatest.
// Contests that need workerd, miniflare or wrangler use those that npm has installed in
// ../e2e, and are left out without them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"time"
)

func main() {
	if err := run(); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	only := flags.String("run", "", "measure only the contests whose name this regular expression matches")
	rounds := flags.Int("rounds", 11, "how many turns each subject has")
	turn := flags.Duration("turn", 200*time.Millisecond, "how long a turn is, about")
	largest := flags.Int("largest", 1_000_000, "how many keys and messages growth is measured to, and a tenth of the rows; 0 measures none")
	svg := flags.String("svg", "", "where to write the plot of growth")
	if err := flags.Parse(os.Args[1:]); err != nil {
		return err
	}
	pattern, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	env, err := newEnv(ctx)
	if err != nil {
		return err
	}
	defer env.close()
	fmt.Print(machine())
	table := newTable(os.Stdout)
	for _, c := range contests() {
		if !pattern.MatchString(c.Name) {
			continue
		}
		results, err := c.measure(env, settings{Rounds: *rounds, Turn: *turn})
		switch {
		case errors.Is(err, errMissing):
			fmt.Fprintf(os.Stderr, "%s: left out: %v\n", c.Name, err)
		case err != nil:
			return fmt.Errorf("%s: %w", c.Name, err)
		default:
			table.add(c, results)
		}
	}
	if *largest < 1000 || !pattern.MatchString("growth") {
		return nil
	}
	curves, err := growth(ctx, *largest)
	if err != nil {
		return fmt.Errorf("growth: %w", err)
	}
	printGrowth(os.Stdout, curves)
	if *svg != "" {
		return plotGrowth(*svg, curves)
	}
	return nil
}

// contests are all that are measured.
func contests() []Contest {
	var all []Contest
	for _, some := range [][]Contest{decodeContests(), embeddedContests(), serverContests(), kvContests(), startContests()} {
		all = append(all, some...)
	}
	return all
}

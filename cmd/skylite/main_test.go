package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"skylite": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Vars = append(env.Vars, "CLOUDFLARE_API_TOKEN=", "CLOUDFLARE_ACCOUNT_ID=", "TERM=xterm", "HOME="+env.WorkDir,
				"GORACE=atexit_sleep_ms=10") // the race detector's second at the end of every process adds up
			env.Values[devKey{}] = new(*devServer)
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name == "superuser" {
				return os.Geteuid() == 0, nil
			}
			return false, errors.New("unknown condition " + name)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code":    checkCode,
			"head":    checkHead,
			"tty":     runOnTerminal,
			"dev":     startDev,
			"stopdev": stopDev,
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// checkCode runs a command and checks its exit code: code 2 skylite d1 nonsense
func checkCode(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("the exit code is %d, not %d", got, want)
	}
}

// checkHead checks that one file begins as another does: head stdout want.json
func checkHead(ts *testscript.TestScript, _ bool, args []string) {
	if got, want := ts.ReadFile(args[0]), ts.ReadFile(args[1]); !strings.HasPrefix(got, want) {
		ts.Fatalf("it does not begin as it should: %s", cmp.Diff(want, got[:min(len(got), len(want))]))
	}
}

// command returns a process of skylite's in a script's folder and environment.
func command(ts *testscript.TestScript, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(strings.Split(ts.Getenv("PATH"), string(os.PathListSeparator))[0], "skylite"), args...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TERM", "NO_COLOR", "SKYLITE_DATA", "SKYLITE_TOKEN", "GORACE"} {
		if value := ts.Getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	return cmd
}

// devServer is a running skylite dev. Its Stderr may be read when it has ended.
type devServer struct {
	*exec.Cmd
	exports map[string]string
	rest    chan []byte // what it prints after the exports
}

// start runs skylite dev until it has said where it is.
func start(cmd *exec.Cmd) (*devServer, error) {
	cmd.Stderr = new(bytes.Buffer)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &devServer{Cmd: cmd, exports: map[string]string{}, rest: make(chan []byte, 1)}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if name, value, ok := strings.Cut(strings.TrimPrefix(lines.Text(), "export "), "="); ok {
			s.exports[name] = value
		}
		if strings.Contains(lines.Text(), "CLOUDFLARE_ACCOUNT_ID") { // the last line
			go func() {
				rest, _ := io.ReadAll(out)
				s.rest <- rest
			}()
			return s, nil
		}
	}
	err = cmd.Wait()
	return nil, errors.Join(errors.New("it did not start: "+cmd.Stderr.(*bytes.Buffer).String()), err)
}

// stop ends the server with a signal.
func (s *devServer) stop(sig os.Signal) error {
	if err := s.Process.Signal(sig); err != nil {
		return err
	}
	timer := time.AfterFunc(20*time.Second, func() { _ = s.Process.Kill() })
	defer timer.Stop()
	<-s.rest
	return s.Wait()
}

// devKey finds the server that a script runs.
type devKey struct{}

// startDev runs skylite dev beside the script, on a free port, and sets the variables
// that it exports.
func startDev(ts *testscript.TestScript, _ bool, args []string) {
	s, err := start(command(ts, append([]string{"dev", "--addr", "127.0.0.1:0"}, args...)...))
	ts.Check(err)
	ts.Defer(func() { _ = s.Process.Kill() })
	for name, value := range s.exports {
		ts.Setenv(name, value)
	}
	address := strings.TrimSuffix(s.exports["CLOUDFLARE_API_BASE_URL"], "/client/v4")
	ts.Setenv("ADDRESS", address[strings.Index(address, "//")+2:])
	*ts.Value(devKey{}).(**devServer) = s
}

// stopDev ends it, and checks that it ends well. Its log is then the standard error.
func stopDev(ts *testscript.TestScript, _ bool, _ []string) {
	s := *ts.Value(devKey{}).(**devServer)
	ts.Check(s.stop(syscall.SIGTERM))
	_, err := io.Copy(ts.Stderr(), s.Stderr.(*bytes.Buffer))
	ts.Check(err)
}

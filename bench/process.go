package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// process is a server that runs beside the benchmark. It ends when its standard input
// does, or when it is told to.
type process struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	output *bufio.Reader
}

func start(cmd *exec.Cmd) (*process, error) {
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &process{cmd: cmd, stdin: stdin, output: bufio.NewReader(stdout)}, nil
}

// find reads lines until one has what is looked for, and returns what follows in it.
func (p *process) find(mark string) (string, error) {
	for {
		line, err := p.output.ReadString('\n')
		if _, after, ok := strings.Cut(line, mark); ok {
			go func() { _, _ = io.Copy(io.Discard, p.output) }()
			return strings.TrimSpace(after), nil
		}
		if err != nil {
			return "", fmt.Errorf("%s has not said %q: %w", filepath.Base(p.cmd.Path), mark, err)
		}
	}
}

// stop tells the process to end, and kills it if it does not.
func (p *process) stop() {
	_ = p.stdin.Close()
	_ = p.cmd.Process.Signal(os.Interrupt)
	timer := time.AfterFunc(10*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	_ = p.cmd.Wait() // how it says that it has ended does not matter
}

// memory returns the bytes that the process and its children hold, as Linux tells.
func (p *process) memory() int64 { return treeMemory(strconv.Itoa(p.cmd.Process.Pid)) }

func treeMemory(pid string) (bytes int64) {
	if status, err := os.ReadFile("/proc/" + pid + "/status"); err == nil {
		if _, after, ok := strings.Cut(string(status), "VmRSS:"); ok {
			kilobytes, _ := strconv.ParseInt(strings.Fields(after)[0], 10, 64)
			bytes = kilobytes << 10
		}
	}
	tasks, _ := filepath.Glob("/proc/" + pid + "/task/*/children")
	for _, task := range tasks {
		children, _ := os.ReadFile(task)
		for _, child := range strings.Fields(string(children)) {
			bytes += treeMemory(child)
		}
	}
	return bytes
}

// skyliteDev starts the binary on a new folder, and returns the base URL of its API.
func (e *Env) skyliteDev(flags ...string) (base string, p *process, err error) {
	bin, err := e.binary()
	if err != nil {
		return "", nil, err
	}
	dir, err := e.folder()
	if err != nil {
		return "", nil, err
	}
	args := append([]string{"dev", "--addr", "127.0.0.1:0", "--data", dir, "--log-level", "error"}, flags...)
	if p, err = start(exec.CommandContext(e.ctx, bin, args...)); err != nil {
		return "", nil, err
	}
	e.after(p.stop)
	base, err = p.find("CLOUDFLARE_API_BASE_URL=")
	return strings.Trim(base, `"'`), p, err
}

// node starts one of e2e's servers in JavaScript, and returns its URL.
func (e *Env) node(script string) (url string, p *process, err error) {
	node, err := installed("node_modules/.bin/node")
	if err != nil {
		return "", nil, err
	}
	path, err := installed(script)
	if err != nil {
		return "", nil, err
	}
	if p, err = start(exec.CommandContext(e.ctx, node, path)); err != nil {
		return "", nil, err
	}
	e.after(p.stop)
	url, err = p.find(`{"url":"`)
	url, _, _ = strings.Cut(url, `"`)
	return url, p, err
}

// freePort returns a port that nobody listens on.
func freePort(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

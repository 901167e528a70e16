package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"syscall"
	"unsafe"

	"github.com/rogpeppe/go-internal/testscript"
)

// runOnTerminal runs skylite on a terminal of 80 columns, on which the first argument is
// typed: tty 'y' skylite d1 delete app. What the terminal shows is the standard output.
func runOnTerminal(ts *testscript.TestScript, _ bool, args []string) {
	screen, keyboard, err := openTerminal()
	ts.Check(err)
	cmd := command(ts, args[2:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = keyboard, keyboard, keyboard
	ts.Check(cmd.Start())
	ts.Check(keyboard.Close())
	if args[0] != "" {
		_, err := io.WriteString(screen, args[0]+"\n")
		ts.Check(err)
	}
	// Reading fails when the process has ended.
	var shown bytes.Buffer
	_, _ = io.Copy(&shown, screen)
	_ = screen.Close()
	_, err = ts.Stdout().Write(bytes.ReplaceAll(shown.Bytes(), []byte("\r\n"), []byte("\n")))
	ts.Check(err)
	ts.Check(cmd.Wait())
}

// openTerminal returns the two ends of a new terminal.
func openTerminal() (screen, keyboard *os.File, err error) {
	screen, err = os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		return nil, nil, err
	}
	var number, unlocked int32
	size := [4]uint16{24, 80}
	for _, call := range []struct {
		request uintptr
		arg     unsafe.Pointer
	}{
		{syscall.TIOCSPTLCK, unsafe.Pointer(&unlocked)},
		{syscall.TIOCGPTN, unsafe.Pointer(&number)},
		{syscall.TIOCSWINSZ, unsafe.Pointer(&size)},
	} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, screen.Fd(), call.request, uintptr(call.arg)); errno != 0 {
			return nil, nil, errno
		}
	}
	keyboard, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	return screen, keyboard, err
}

package harness

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// OnTerminal runs a command whose three streams are a terminal, types what is to be read, and returns what
// the screen would show and the exit code. COLUMNS is how wide it is; without it, it does not say.
func OnTerminal(cmd *exec.Cmd, typed io.Reader) (screen string, code int, err error) {
	control, terminal, err := OpenTerminal()
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = control.Close() }()
	if wide, err := strconv.ParseUint(os.Getenv("COLUMNS"), 10, 16); err == nil {
		if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: uint16(wide)}); err != nil {
			return "", 0, err
		}
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		return "", 0, err
	}
	_ = terminal.Close() // the command holds it open
	go func() { _, _ = io.Copy(control, typed) }()
	shown, err := io.ReadAll(control)
	if !errors.Is(err, syscall.EIO) && err != nil { // EIO: nobody has the terminal open any more
		return "", 0, err
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return "", 0, err
	}
	return string(shown), cmd.ProcessState.ExitCode(), nil
}

// OpenTerminal makes a terminal, and the end of it at which somebody sits.
func OpenTerminal() (control, terminal *os.File, err error) {
	control, err = os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	number, err := unix.IoctlGetInt(int(control.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(control.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	}
	if err != nil {
		return nil, nil, errors.Join(err, control.Close())
	}
	return control, terminal, nil
}

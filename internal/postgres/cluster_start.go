package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// errAgain is for what passes by itself: processes of a server that was killed are still
// about, or one is just stopping.
var errAgain = errors.New("another server still uses the data")

// quick is how long a start takes at most where nothing is to be recovered.
const quick = 3 * time.Second

// start starts the server unless it runs, and waits until it takes connections. A server that recovers what
// a crash left is waited for as long as it lives.
func (c Cluster) start(whole context.Context) error {
	ctx, cancel := context.WithTimeoutCause(whole, startPatience,
		fmt.Errorf("%s: no connections after %v: %w (see %s)", c.data(), startPatience, ErrUnusable, c.logFile()))
	defer cancel()
	again := error(nil)
	for next := 100 * time.Millisecond; ; next = min(2*next, 5*time.Second) { // each try writes into the log
		err := c.tryStart(ctx, whole)
		if !errors.Is(err, errAgain) {
			if err != nil && ctx.Err() != nil && again != nil { // why it was not over before
				err = fmt.Errorf("%w: %w", again, err)
			}
			return err
		}
		again = err
		if over := pause(ctx, next); over != nil {
			return fmt.Errorf("%w: %w", err, over)
		}
	}
}

func (c Cluster) tryStart(ctx, whole context.Context) error {
	if err := c.boundLog(); err != nil {
		return err
	}
	m, err := c.postmaster(ctx)
	if err != nil {
		return err
	}
	socket, err := c.Socket()
	if err != nil {
		return err
	}
	if m.runs && (m.port != c.Port || m.socket != socket) {
		if err := c.stop(whole); err != nil {
			return err
		}
		m = postmaster{}
	}
	if m.runs {
		return c.await(whole, m.pid, nil)
	}
	if err := c.awaitEnd(ctx); err != nil {
		return err
	}
	if err := writeFile(c.namespaceFile(), []byte(namespace())); err != nil {
		return err
	}
	if err := c.checkPort(ctx, m); err != nil { // before the file goes: a server without its own ends
		return err
	}
	if m.pid != 0 && isAlive(m.pid) { // by now another program, and the server would believe that it is one
		if err := os.Remove(c.PIDFile()); err != nil {
			return err
		}
	}
	if socket != "" {
		if err := c.openSocketDir(socket); err != nil {
			return err
		}
	}
	said, err := c.openLog()
	if err != nil {
		return err
	}
	defer func() { _ = said.Close() }()
	return c.launch(whole, said, socket)
}

// checkPort refuses a port on which somebody listens, but not at once where that may be a
// process which a server had just begun as it was killed: it lets go of the port first of all.
func (c Cluster) checkPort(ctx context.Context, killed postmaster) error {
	const patience = 100 // times 20 ms
	for waited := 0; ; waited++ {
		err := checkPort(c.Port)
		if killed.pid == 0 || !errors.Is(err, ErrTaken) || waited == patience {
			return err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// launch starts the server in a session of its own, so that neither Ctrl-C nor the end of
// the terminal is its end, and with nothing of sp's open.
func (c Cluster) launch(ctx context.Context, said *os.File, socket string) error {
	from, err := said.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	server := exec.Command(c.Programs.Program("postgres"), c.arguments(socket)...)
	server.Dir, server.Env, server.Stdout, server.Stderr = c.Dir, c.env(), said, said
	server.SysProcAttr = c.as.attributes(syscall.SysProcAttr{Setsid: true})
	if err := server.Start(); err != nil {
		return fmt.Errorf("postgres: %w: %w", ErrUnusable, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	err = c.await(ctx, server.Process.Pid, ended)
	var exit *exec.ExitError
	if err == nil || ctx.Err() != nil || !errors.As(err, &exit) {
		return err
	}
	return c.explain(said, from, err)
}

// arguments are what the server is given beside what stands in its data: what may change from one start to
// the next, and what a server of an earlier sp has to be told, too.
func (c Cluster) arguments(socket string) []string {
	args := []string{"-D", c.data(), "-p", strconv.Itoa(c.Port), "-c", "unix_socket_directories=" + socket}
	for _, setting := range Kept {
		args = append(args, "-c", setting[0]+"="+setting[1])
	}
	return args
}

// await returns when the server of this pid is ready, or how it ended.
func (c Cluster) await(ctx context.Context, pid int, ended <-chan error) error {
	slow, late := time.After(quick), after(stopPatience)
	for {
		m, err := c.postmaster(ctx)
		switch {
		case err != nil:
			return err
		case m.pid == pid && m.runs && m.ready && !isFrozen(pid):
			return nil
		case ended == nil && !m.runs: // it was just stopping
			return errAgain
		case m.stopping && late():
			return unended(c.data(), []int{m.pid})
		case m.runs && isFrozen(m.pid):
			return fmt.Errorf("%s: process %d: %w", c.data(), m.pid, ErrFrozen)
		}
		select {
		case err := <-ended:
			if err == nil {
				return errAgain // somebody stopped it
			}
			return err
		case <-slow:
			c.say("waiting for PostgreSQL, which starts, stops, or recovers what a crash left")
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// explain says why the server ended, by what it wrote into the log since.
func (c Cluster) explain(said *os.File, from int64, ended error) error {
	text, err := io.ReadAll(io.NewSectionReader(said, from, maxLog))
	if err != nil {
		return err
	}
	all := string(text) // the backends of a server that was killed write there, too, as they end
	why := c.complaint(all, ended)
	switch {
	case strings.Contains(all, "could not bind"):
		return portTaken(c.Port)
	case strings.Contains(all, "postmaster.pid") && strings.Contains(all, "exists"), strings.Contains(all, "shared memory block"):
		return fmt.Errorf("%s: %s: %w: %w", c.data(), why, ErrUnusable, errAgain)
	}
	return fmt.Errorf("%s: %s: %w (see %s)", c.data(), why, ErrUnusable, c.logFile())
}

package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// way is a way of ending a server: the signal, how long that may take, and what is said before it is tried.
type way struct {
	signal syscall.Signal
	within time.Duration
	said   string
}

// ways are those in which a server is ended, one after the other until one does it: fast, by which sessions end and
// nothing is to be recovered; at once, by which it kills its own processes after 5 s; and by killing all of them.
// Nothing that was committed is lost by any: it recovers when it is started again. A process that looks at no
// interrupt, or a server that was told to stop while it recovered, ends in none of the gentler ways.
var ways = []way{
	{syscall.SIGINT, 10 * time.Second, ""},
	{syscall.SIGQUIT, 8 * time.Second, "PostgreSQL does not stop: ending its processes at once (SIGQUIT); it recovers at its next start"},
	{syscall.SIGKILL, 10 * time.Second, "PostgreSQL still does not stop: killing its processes (SIGKILL)"},
}

// stop ends the server and all of its processes, also those that one which was killed has left.
func (c Cluster) stop(ctx context.Context) error {
	users, err := c.Users(ctx)
	gone, unseen := c.postmaster(ctx)
	if err = errors.Join(err, unseen); err != nil || len(users) == 0 {
		return err
	}
	in := ways
	if !gone.runs { // what is left listens to nobody, but to whom it must
		in = ways[1:]
	}
	for _, w := range in {
		if w.said != "" {
			c.say(w.said)
		}
		if users, err = c.endBy(ctx, w); err != nil || len(users) == 0 {
			return err
		}
	}
	return fmt.Errorf("%s: %s can't be killed: %w", c.data(), Processes(users), ErrUnusable)
}

// endBy tries one way, and returns who uses the data after it.
func (c Cluster) endBy(ctx context.Context, w way) (users []int, err error) {
	asked := map[int]bool{}
	for late := after(w.within); ; {
		users, err := c.Users(ctx)
		if err != nil || len(users) == 0 || late() {
			return users, err
		}
		for _, pid := range users {
			if asked[pid] {
				continue
			}
			asked[pid] = true
			err := syscall.Kill(pid, w.signal)
			if err == nil { // one that was frozen has to go on to end
				err = syscall.Kill(pid, syscall.SIGCONT)
			}
			if ignoring(syscall.ESRCH, err) != nil {
				return users, fmt.Errorf("%s: process %d: %w", c.data(), pid, err)
			}
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return users, err
		}
	}
}

// Users are the processes that use the data: the server's own, which has all others end, or those that are left where
// it was killed.
func (c Cluster) Users(ctx context.Context) ([]int, error) {
	m, err := c.postmaster(ctx)
	switch {
	case err != nil:
		return nil, err
	case m.runs:
		return []int{m.pid}, nil
	}
	return left(ctx, c.data())
}

// stopPatience is how long a server that somebody else stops may take, and what a killed one left.
const stopPatience = 10 * time.Second

// awaitEnd waits until nothing uses the data any more: two servers on them would destroy them. What used them may
// turn out to be a server that somebody else starts, which works there before it writes its pid: errAgain.
func (c Cluster) awaitEnd(ctx context.Context) error {
	for late := after(stopPatience); ; {
		users, err := left(ctx, c.data())
		if err != nil || len(users) == 0 {
			return err
		}
		if late() {
			return unended(c.data(), users)
		}
		if m, err := c.postmaster(ctx); err != nil || m.runs {
			return cmp.Or(err, errAgain)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// unended is ErrUnended with the processes that do not end.
func unended(data string, users []int) error {
	return fmt.Errorf("%s: %s: %w", data, Processes(users), ErrUnended)
}

// Processes names processes by their ids.
func Processes(pids []int) string {
	if len(pids) == 1 {
		return fmt.Sprintf("process %d", pids[0])
	}
	var all []string
	for _, pid := range pids {
		all = append(all, strconv.Itoa(pid))
	}
	return "processes " + strings.Join(all, ", ")
}

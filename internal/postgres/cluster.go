package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/secret"
)

// startPatience is how long a server may take to begin, where another one is just ending.
const startPatience = 60 * time.Second

// Cluster is a server of the machine's own programs, in a directory of its own, which is sp's user's. For
// root, data and password are the account's.
//
//	data/      what the server keeps; there as soon as it is whole
//	data.new/  what initdb is making, or was when it was killed
//	password   for initdb, and only while that runs
//	log        what the server says, and log.old what it said before
//	namespace  in which processes have the pid that data/postmaster.pid says
//	project    the .systemprompt directory for which it was made
//	socket     in which directory it has a socket, if in any
//	lock       held while one of sp's commands makes, starts or stops it
type Cluster struct {
	Dir      string // an absolute path, which need not be there yet
	Programs Programs
	Port     int
	Password secret.Secret
	Env      []string // of the programs

	// MayStart is asked, while no other command is at it, before anything is made or started;
	// nil allows all. Owner is the .systemprompt directory for which the cluster is made.
	MayStart func(ctx context.Context) error
	Owner    string
	// Listen is the directory in which it is to have a socket from now on, "" for none; nil leaves that as it is.
	Listen *string
	// Say is told what takes long, and why; it may be nil.
	Say func(what string)

	as Account // while it is made and started
}

// Exists tells whether the cluster is made.
func (c Cluster) Exists() bool {
	_, err := os.Stat(filepath.Join(c.data(), "PG_VERSION"))
	return err == nil
}

// Up makes the cluster if there is none, starts it if it does not run, and returns when
// it takes connections. It outlives the command and its terminal. Of several commands
// that call it at once, one does the work.
func (c Cluster) Up(ctx context.Context) error {
	var err error
	if c.as, err = c.account(); err != nil {
		return err
	}
	if err := c.as.refuseUnreached(ctx, filepath.Dir(c.Dir), c.Programs); err != nil {
		return err
	}
	return c.up(ctx)
}

func (c Cluster) up(ctx context.Context) error {
	if err := makeDir(c.Dir, c.as); err != nil {
		return err
	}
	held, err := acquire(ctx, c.Dir, c.say)
	if err != nil {
		return err
	}
	defer held.release()
	if c.MayStart != nil {
		if err := c.MayStart(ctx); err != nil {
			return err
		}
	}
	if err := c.sweep(); err != nil {
		return err
	}
	if !c.Exists() {
		if err := c.make(ctx, held); err != nil {
			return err
		}
	}
	if err := c.checkData(); err != nil {
		return err
	}
	if c.Listen != nil {
		if err := c.listen(*c.Listen); err != nil {
			return err
		}
	}
	return c.start(ctx)
}

// Down stops the server, and returns when it is gone; where it does not run, nothing is
// to be done.
func (c Cluster) Down(ctx context.Context) error {
	return c.alone(ctx, func() error { return c.stop(ctx) })
}

// Remove stops the server and removes the cluster's data, if there are any.
func (c Cluster) Remove(ctx context.Context) error {
	return c.alone(ctx, func() error {
		if err := c.stop(ctx); err != nil {
			return err
		}
		if err := os.RemoveAll(c.Dir); err != nil {
			return err
		}
		return place.SyncDir(filepath.Dir(c.Dir))
	})
}

// alone runs fn while no other command is at the cluster, if that is there.
func (c Cluster) alone(ctx context.Context, fn func() error) error {
	if _, err := os.Lstat(c.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	within, cancel := context.WithTimeoutCause(ctx, lockPatience, ErrBusy)
	defer cancel()
	held, err := acquire(within, c.Dir, c.say)
	if err != nil {
		return err
	}
	defer held.release()
	return fn()
}

// lockPatience is how long a command that ends a server waits for one that starts it, which may take as long as a
// crash takes to recover from.
const lockPatience = time.Minute

func (c Cluster) say(what string) {
	if c.Say != nil {
		c.Say(what)
	}
}

// Running tells whether the server runs, ready or not yet, or has left processes that do.
func (c Cluster) Running(ctx context.Context) (bool, error) {
	users, err := c.Users(ctx)
	return len(users) > 0, err
}

// Look is what can be seen of a server from here.
type Look int

// What is seen: no server, the server on its port, that it starts or recovers, that it or what is left of it is to
// end, that its process was stopped by a signal, or that it may run where its process can't be seen, in another
// container.
const (
	NotThere Look = iota
	There
	Starting
	Stopping
	Frozen
	Unseen
)

// Look tells whether who listens on the port can be the cluster's own server.
func (c Cluster) Look(ctx context.Context) (Look, error) {
	m, err := c.postmaster(ctx)
	switch {
	case err != nil:
		return NotThere, err
	case m.runs && m.port != c.Port:
		return NotThere, nil
	case m.runs && isFrozen(m.pid):
		return Frozen, nil
	case m.runs && m.stopping:
		return Stopping, nil
	case m.runs && m.starting:
		return Starting, nil
	case m.runs:
		return There, nil
	case m.pid != 0 && m.port == c.Port && c.isElsewhere():
		return Unseen, nil
	}
	users, err := left(ctx, c.data())
	if len(users) > 0 {
		return Stopping, err
	}
	return NotThere, err
}

func (c Cluster) data() string { return filepath.Join(c.Dir, "data") }

// CheckData refuses data that these programs can't use, before they say so in words of
// their own.
func (c Cluster) CheckData() (err error) {
	if c.as, err = c.account(); err != nil {
		return err
	}
	return c.checkData()
}

func (c Cluster) checkData() error {
	info, err := os.Stat(c.data())
	if err != nil {
		return err
	}
	if err := checkOwner(c.data(), info, c.as.owner()); err != nil {
		return err
	}
	made, err := c.madeBy()
	if err != nil {
		return err
	}
	if made != c.Programs.Version {
		return fmt.Errorf("%s: made by PostgreSQL %s, and the programs in %s are PostgreSQL %s: %w (install PostgreSQL %s beside it, or name its programs in SP_POSTGRES_BIN, or move the data with pg_upgrade)",
			c.data(), made, c.Programs.Dir, c.Programs.Version, ErrVersion, made)
	}
	return nil
}

// madeBy returns the version of the programs that made the cluster.
func (c Cluster) madeBy() (string, error) {
	text, err := os.ReadFile(filepath.Join(c.data(), "PG_VERSION"))
	return strings.TrimSpace(string(text)), err
}

// env is what the programs are given: of what is libpq's and the server's own nothing,
// or they would look at other data; and they speak English, which is read here.
func (c Cluster) env() []string {
	env := []string{"LC_ALL=C"}
	for _, variable := range c.as.env(c.Env) {
		if !strings.HasPrefix(variable, "PG") && !strings.HasPrefix(variable, "LC_") && !strings.HasPrefix(variable, "LANG") {
			env = append(env, variable)
		}
	}
	return env
}

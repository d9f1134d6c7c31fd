package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// app is one run of the program: the world, what holds for every command, and the
// answer so far.
type app struct {
	world
	args     []string
	json     bool
	dir      string  // --dir
	noExport bool    // --no-export
	command  string  // the words of the command, for those who wait for it
	noted    string  // the whole command line without secrets, for the history
	changed  bool    // the registry has changed
	registry string  // its path, once it is known
	moved    *string // set where the registry lay elsewhere: the directory whose copy it is, or nothing
	exposed  string  // the file that others could read until it was replaced
	small    project.FollowOptions
	left     []string // files that a change leaves though what they belong to is gone
	kept     []error  // conflicts that stopped nothing
	merged   *merging
	sessions sessionsMerge
	reading  sync.Mutex // several databases are logged in to at once, each after a look into the registry
	out      spool
	progress progress
	// documented tells that the answer is a JSON document already.
	documented bool
	// putBack undoes what --set-aside did; nil if that did nothing.
	putBack func() error
}

// defaultWait bounds the waiting for other processes, unless SP_LOCK_TIMEOUT does.
const defaultWait = 10 * time.Second

func (a *app) env(name string) *string {
	if value, ok := a.lookupEnv(name); ok {
		return &value
	}
	return nil
}

// wait reads SP_LOCK_TIMEOUT: a duration such as 500ms, or a number of seconds.
func (a *app) wait() (time.Duration, error) {
	text := a.env("SP_LOCK_TIMEOUT")
	if text == nil || *text == "" {
		return defaultWait, nil
	}
	wait, err := time.ParseDuration(*text)
	if err != nil { // without a unit
		wait, err = time.ParseDuration(*text + "s")
	}
	if err != nil || wait < 0 {
		return 0, usage("SP_LOCK_TIMEOUT is not a duration such as 10s")
	}
	return wait, nil
}

// options are what a registry is opened with; publish is nil for one that is only read.
func (a *app) options(dir project.Dir, publish publish) (registry.Options, error) {
	wait, err := a.wait()
	if err != nil {
		return registry.Options{}, err
	}
	trust, err := a.trust(dir)
	return registry.Options{
		Now:     a.now,
		Rand:    a.random,
		Command: a.noted,
		Wait:    wait,
		Holder:  fmt.Sprintf("pid %d (%s) since %s", os.Getpid(), a.command, a.now().UTC().Format(time.RFC3339)),
		Publish: publish,
		Trust:   trust,
		Waiting: a.noteWaiting,
	}, err
}

func (a *app) noteWaiting(holder string) {
	if holder == "" {
		holder = "another program"
	}
	a.note("waiting for %s", holder)
}

// read runs fn on one instant of the registry. The file is let go, for the answer may
// take its time to print, but not closed: the end of the process does that for nothing,
// and a close would be a thirtieth of what the command takes.
func (a *app) read(ctx context.Context, fn func(dir project.Dir, view *registry.View) error) error {
	dir, err := a.project()
	if err != nil {
		return err
	}
	options, err := a.options(dir, nil)
	if err != nil {
		return err
	}
	reg, err := registry.Open(ctx, dir.Registry(), options)
	if err != nil {
		return err
	}
	view, err := reg.View(ctx)
	if err != nil {
		return err
	}
	defer view.Close()
	return fn(dir, view)
}

// change runs fn, which changes the registry in one transaction; the tracked file
// follows. A signal ends it with nothing half done.
func (a *app) change(ctx context.Context, fn func(ctx context.Context, reg *registry.Registry) error) error {
	dir, err := a.project()
	if err != nil {
		return err
	}
	return a.changeIn(ctx, dir, registry.Open, a.followOnly(tracked(dir)), fn)
}

// changeTenants is change for what tenants.json shows: what another program did to that
// is taken over first.
func (a *app) changeTenants(ctx context.Context, fn func(ctx context.Context, reg *registry.Registry) error) error {
	dir, err := a.project()
	if err != nil {
		return err
	}
	return a.changeIn(ctx, dir, registry.Open, a.follow(tracked(dir)), fn)
}

// tracked is the publisher of the file that follows the registry.
func tracked(dir project.Dir) exporter.Publisher {
	return exporter.Publisher{Path: dir.Tenants(), Name: exporter.TrackedName}
}

// publish is how files follow a change.
type publish func(context.Context, *registry.View) (registry.Publication, error)

// followOnly writes the publisher's file with a change, or leaves it for --no-export.
func (a *app) followOnly(p exporter.Publisher) following {
	if a.noExport {
		return following{publish: p.Defer}
	}
	return following{publish: a.warnOfExposure(p)}
}

// warnOfExposure publishes, and marks if what is replaced could be read by others.
func (a *app) warnOfExposure(p exporter.Publisher) publish {
	p.Watch = a.watchWriting
	return func(ctx context.Context, view *registry.View) (registry.Publication, error) {
		before, missing := os.Lstat(p.Path)
		publication, err := p.Publish(ctx, view)
		if err == nil && len(publication.Files) > 0 && missing == nil && before.Mode().Perm()&0o077 != 0 {
			a.exposed = p.Path // told when it is done and the lock is free: stderr may be slow
		}
		return publication, err
	}
}

type opener func(context.Context, string, registry.Options) (*registry.Registry, error)

func (a *app) changeIn(ctx context.Context, dir project.Dir, open opener, files following, fn func(context.Context, *registry.Registry) error) error {
	options, err := a.options(dir, a.withSmall(dir, files.publish))
	if err != nil {
		return err
	}
	options.Merge = a.withSessions(dir, files.merge)
	return a.untilTold(ctx, func(ctx context.Context) error {
		reg, err := open(ctx, dir.Registry(), options)
		if err != nil {
			return err
		}
		err = a.tellSessions(a.endMerge(fn(ctx, reg)))
		a.changed = made(err)
		a.tellMoved()
		if a.changed && a.exposed != "" {
			a.note("warning: others could read %s until now; consider its secrets known to them", a.exposed)
		}
		if a.changed {
			a.tellLeft(dir)
		}
		var changed *exporter.ChangedError
		if errors.As(err, &changed) && !isSmall(dir, changed.Path) {
			err = withHint(err, "%s", a.conflict(ctx, reg, changed.Path))
		}
		closed := reg.Close()
		if closed != nil && a.changed {
			closed = fmt.Errorf("%w: %w", registry.ErrIncomplete, db.Explain(closed))
		}
		return errors.Join(err, closed)
	})
}

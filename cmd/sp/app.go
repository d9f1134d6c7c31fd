package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// app is one run of the program: the world, what holds for every command, and the
// answer so far.
type app struct {
	world
	args     []string
	json     bool
	dir      string         // --dir
	noExport bool           // --no-export
	command  string         // the words of the command, for those who wait for it
	noted    string         // the whole command line without secrets, for the history
	registry string         // its path, once it is known
	moved    *string        // set where the registry lay elsewhere: the directory whose copy it is, or nothing
	done     workspace.Done // what came of the last change
	untold   *project.Dir   // where that was made, until it is told
	reading  sync.Mutex     // several databases are logged in to at once, each after a look into the registry
	out      spool
	progress progress
	// documented tells that the answer is a JSON document already.
	documented bool
	// putBack undoes what --set-aside did; nil if that did nothing.
	putBack func() error
	// madeDir tells that this command made the directory, which it has not told yet.
	madeDir bool
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

// options are what a registry is opened with.
func (a *app) options(dir project.Dir) (registry.Options, error) {
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
		Trust:   trust,
		Waiting: a.noteWaiting,
	}, err
}

// workspace is a directory with its registry, and what sp knows of the world.
func (a *app) workspace(dir project.Dir) (*workspace.Workspace, error) {
	options, err := a.options(dir)
	return &workspace.Workspace{Dir: dir, Registry: options, Git: a.git, Reading: a.watchReading, Writing: a.watchWriting}, err
}

func (a *app) noteWaiting(holder string) {
	if holder == "" {
		holder = "another program"
	}
	a.note("waiting for %s", holder)
}

// read runs fn on one instant of the registry.
func (a *app) read(ctx context.Context, fn func(dir project.Dir, view *registry.View) error) error {
	dir, err := a.project()
	if err != nil {
		return err
	}
	w, err := a.workspace(dir)
	if err != nil {
		return err
	}
	return w.Read(ctx, func(view *registry.View) error { return fn(dir, view) })
}

// change makes one change of the registry, with the files that follow it. A signal ends it
// with nothing half done.
func (a *app) change(ctx context.Context, c workspace.Change) error {
	dir, err := a.project()
	if err != nil {
		return err
	}
	return a.changeIn(ctx, dir, c)
}

func (a *app) changeIn(ctx context.Context, dir project.Dir, c workspace.Change) error {
	return a.untilTold(ctx, func(ctx context.Context) error {
		w, err := a.workspace(dir)
		if err != nil {
			return err
		}
		a.tellDone()
		a.done, err = w.Change(ctx, c)
		a.untold = &dir
		return a.adviseChange(ctx, w, c, err)
	})
}

// tenants is a change of what tenants.json shows.
func (a *app) tenants(commit func(context.Context, *registry.Registry) error) workspace.Change {
	return workspace.Change{Tenants: !a.noExport, Defer: a.noExport, Commit: commit}
}

// others is a change of anything else.
func (a *app) others(commit func(context.Context, *registry.Registry) error) workspace.Change {
	return workspace.Change{Defer: a.noExport, Commit: commit}
}

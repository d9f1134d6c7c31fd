// Package task is what the commands of sp share. It finds the project's directory, reads or changes
// its registry, reports what a change did, and turns errors into exit codes and hints.
package task

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// Task is one run of a command on a project.
type Task struct {
	*cli.Context
	// Done is the result of the last change.
	Done workspace.Done

	found    *project.Dir // the directory, once it was looked for
	registry string       // its path, once it is known
	moved    *string      // set where the registry lay elsewhere: the directory whose copy it is, or nothing
	untold   *project.Dir // where Done was made, until it is told
	later    []string     // to be said when the registry is not being read any more
	reading  sync.Mutex   // several databases are logged in to at once, each after a look into the registry
	// putBack undoes what --set-aside did; nil if that did nothing.
	putBack func() error
	plane   string // the URL of the control plane that was asked last
	madeDir bool   // this command made the directory, which it has not told yet
}

// Run turns a function that works on a project into the Run of a command.
func Run(fn func(context.Context, *Task) (cli.Answer, error)) func(context.Context, *cli.Context) (cli.Answer, error) {
	return func(ctx context.Context, c *cli.Context) (cli.Answer, error) {
		t := &Task{Context: c}
		c.AtEnd(func() error {
			t.TellDone()
			t.tellMadeDir()
			t.tellLater()
			return nil
		})
		if t.Defers() && t.Has(purgeFlag) && t.Bool(purgeFlag) {
			return cli.Answer{}, cli.Usage("%s: --purge and --no-export: the file would still hold what is purged", t.Command)
		}
		answer, err := fn(provision.WithBeforeLogin(provision.WithPassfile(ctx, t.passfile()), t.beforeLogin), t)
		return t.explaining(answer), t.explain(t.adviseDeaf(t.adviseLoggedOut(ctx, t.adviseMissing(ctx, err))))
	}
}

// explaining returns the answer with its later errors, those of rows and of Write, explained like
// others.
func (t *Task) explaining(a cli.Answer) cli.Answer {
	if rows := a.Rows; rows != nil {
		a.Rows = func(yield func(cli.Row, error) bool) {
			for row, err := range rows {
				if !yield(row, t.explain(err)) {
					return
				}
			}
		}
	}
	if write := a.Write; write != nil {
		a.Write = func(w io.Writer) error { return t.explain(write(w)) }
	}
	return a
}

// The flags of every command, and of those that change what files follow.
const (
	dirFlag      = "dir"
	noExportFlag = "no-export"
	purgeFlag    = "purge"
)

// Dir returns the flag --dir.
func Dir() cli.Flag {
	f := cli.String(dirFlag, "DIRECTORY", "the .systemprompt directory (else SP_DIR, else look upwards)")
	f.Silent = true // the history is that directory's
	return f
}

// NoExport returns the flag --no-export, which leaves the files that follow to the next change.
func NoExport() cli.Flag {
	return cli.Bool(noExportFlag, "leave the files as they are until the next change")
}

// Purge returns the flag --purge, which forgets removed secrets at once.
func Purge() cli.Flag {
	return cli.Bool(purgeFlag, "forget removed secrets at once, not after 7 days")
}

// Defers reports whether --no-export was given.
func (t *Task) Defers() bool {
	return t.Has(noExportFlag) && t.IsSet(noExportFlag) && t.Bool(noExportFlag)
}

// defaultWait is how long a command waits for other processes unless SP_LOCK_TIMEOUT is set.
const defaultWait = 10 * time.Second

// Wait reads SP_LOCK_TIMEOUT: a duration such as 500ms, or a number of seconds.
func (t *Task) Wait() (time.Duration, error) {
	text := t.Env("SP_LOCK_TIMEOUT")
	if text == nil || *text == "" {
		return defaultWait, nil
	}
	wait, err := time.ParseDuration(*text)
	if err != nil { // without a unit
		wait, err = time.ParseDuration(*text + "s")
	}
	if err != nil || wait < 0 {
		return 0, cli.Usage("SP_LOCK_TIMEOUT is not a duration such as 10s")
	}
	return wait, nil
}

// Options returns the options with which the registry of a directory is opened.
func (t *Task) Options(dir project.Dir) (registry.Options, error) {
	wait, err := t.Wait()
	if err != nil {
		return registry.Options{}, err
	}
	trust, err := t.Trust(dir)
	return registry.Options{
		Now:     t.Now,
		Rand:    t.Random,
		Command: t.Line,
		Wait:    wait,
		Holder:  fmt.Sprintf("pid %d (sp %s) since %s", os.Getpid(), t.Command, t.Now().UTC().Format(time.RFC3339)),
		Trust:   trust,
		Waiting: t.noteWaiting,
	}, err
}

// Workspace returns the workspace of a directory.
func (t *Task) Workspace(dir project.Dir) (*workspace.Workspace, error) {
	options, err := t.Options(dir)
	return &workspace.Workspace{Dir: dir, Registry: options, Git: t.Git, Reading: t.WatchReading, Writing: t.WatchWriting}, err
}

// Note prints a line to stderr.
func (t *Task) Note(format string, args ...any) {
	t.tellMadeDir()
	t.Context.Note(format, args...)
}

func (t *Task) noteWaiting(holder string) {
	if holder == "" {
		holder = "another program"
	}
	t.Note("waiting for %s", holder)
}

// Read runs fn on one instant of the registry.
func (t *Task) Read(ctx context.Context, fn func(dir project.Dir, view *registry.View) error) error {
	dir, err := t.Project()
	if err != nil {
		return err
	}
	w, err := t.Workspace(dir)
	if err != nil {
		return err
	}
	err = w.Read(ctx, func(view *registry.View) error { return fn(dir, view) })
	t.tellLater()
	return err
}

// InView runs fn on a registry as a change has left it so far.
func InView(ctx context.Context, reg *registry.Registry, fn func(*registry.View) error) error {
	view, err := reg.View(ctx)
	if err != nil {
		return err
	}
	defer view.Close()
	return fn(view)
}

// NoteLater prints a line to stderr once the registry is closed. Printed earlier, it could make a
// change wait for a slow reader of stderr.
func (t *Task) NoteLater(format string, args ...any) {
	t.later = append(t.later, fmt.Sprintf(format, args...))
}

func (t *Task) tellLater() {
	for _, text := range t.later {
		t.Note("%s", text)
	}
	t.later = nil
}

// View opens one instant of the registry. It is closed when the answer's rows have been read.
func (t *Task) View(ctx context.Context) (*registry.View, error) {
	dir, err := t.Project()
	if err != nil {
		return nil, err
	}
	w, err := t.Workspace(dir)
	if err != nil {
		return nil, err
	}
	view, err := w.View(ctx)
	if err == nil {
		t.AtClose(func() error {
			view.Close()
			t.tellLater()
			return nil
		})
	}
	return view, err
}

// Change makes one change of the registry, with the files that follow it. A signal ends it
// with nothing half done.
func (t *Task) Change(ctx context.Context, c workspace.Change) error {
	dir, err := t.Project()
	if err != nil {
		return err
	}
	return t.ChangeIn(ctx, dir, c)
}

// ChangeIn is Change in a directory that was found.
func (t *Task) ChangeIn(ctx context.Context, dir project.Dir, c workspace.Change) error {
	return t.UntilTold(ctx, func(ctx context.Context) error {
		w, err := t.Workspace(dir)
		if err != nil {
			return err
		}
		t.TellDone()
		t.Done, err = w.Change(ctx, c)
		t.Made = t.Done.Made
		t.untold = &dir
		return t.AdviseChange(ctx, w, c, err)
	})
}

// Tenants returns a change of what tenants.json shows.
func (t *Task) Tenants(commit func(context.Context, *registry.Registry) error) workspace.Change {
	return workspace.Change{Tenants: !t.Defers(), Defer: t.Defers(), Commit: commit}
}

// Others returns a change of anything else.
func (t *Task) Others(commit func(context.Context, *registry.Registry) error) workspace.Change {
	return workspace.Change{Defer: t.Defers(), Commit: commit}
}

package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/registry"
	"golang.org/x/sys/unix"
)

func (c *Checkup) checkLock(context.Context) []Diagnosis {
	held, holder, err := db.Holder(c.dir.Registry())
	switch {
	case err != nil:
		return []Diagnosis{c.trouble(err)}
	case held && holder == "":
		return []Diagnosis{inform("another program is changing the registry")}
	case held:
		return []Diagnosis{inform("held by %s", holder)}
	}
	return []Diagnosis{fine("nobody holds it")}
}

// untrusted is all that is said of a directory whose registry is not trusted, and nothing in
// it is mended.
func (c *Checkup) untrusted(ctx context.Context) *Diagnosis {
	dir, err := c.Locate()
	if err != nil || !isThere(dir.Registry()) {
		return nil
	}
	c.dir, c.interrupted = dir, db.IsInterrupted(dir.Registry())
	err = c.onFile(ctx, func(*db.Examination) error { return nil })
	if !errors.Is(err, db.ErrUntrusted) {
		return nil
	}
	found := c.trouble(err)
	found.Check = "trust"
	return &found
}

// checkFile tells why sp.db can't be opened, if that shows from outside.
func (c *Checkup) checkFile(ctx context.Context) []Diagnosis {
	path := c.dir.Registry()
	options, err := c.fileOptions()
	if err == nil {
		err = db.CheckFile(ctx, path, options)
	}
	mode, exposed := db.Exposure(path)
	switch {
	case err == nil:
		c.have = needFile
	case exposed:
		return []Diagnosis{c.reachable(path, mode, func(context.Context) error { return db.Tighten(path) })}
	case errors.Is(err, db.ErrMissing) && db.IsInterrupted(path):
		return []Diagnosis{c.trouble(err).remedy("%s-journal belongs to it: put that file back before anything else", path)}
	case errors.Is(err, db.ErrMissing) && isThere(c.dir.Tenants()):
		return []Diagnosis{c.trouble(err).remedy("tenants.json is still there: %s takes it over, or %s a backup", to("sp import"), to("sp restore", "FILE"))}
	case errors.Is(err, db.ErrForeign) && isThere(c.dir.Tenants()):
		return []Diagnosis{c.trouble(err).remedy("tenants.json is still there: move what is called sp.db away, then %s", to("sp import"))}
	default:
		return []Diagnosis{c.trouble(err)}
	}
	if unix.Access(path, unix.W_OK) != nil || unix.Access(c.dir.Path(), unix.W_OK) != nil {
		return []Diagnosis{warn("%s: it can be read, but not changed", path).remedy("make it and its directory writable for you")}
	}
	return []Diagnosis{fine("%s", path)}
}

// checkJournal looks at the journal of a change that was interrupted. Who opens the
// registry next rolls it back, and so does this.
func (c *Checkup) checkJournal(ctx context.Context) []Diagnosis {
	journal := c.dir.Registry() + "-journal"
	if !c.interrupted {
		return []Diagnosis{fine("no change was interrupted")}
	}
	if held, _, _ := db.Holder(c.dir.Registry()); held { // checkLock tells of an error
		return []Diagnosis{inform("%s: a change is being made", journal)}
	}
	if err := c.onFile(ctx, func(*db.Examination) error { return nil }); err != nil {
		return []Diagnosis{c.trouble(err)}
	}
	return []Diagnosis{inform("%s: left by a change that was interrupted; it was rolled back just now, as every command does", journal)}
}

// fileOptions are what the registry's file is opened with, without the rules.
func (c *Checkup) fileOptions() (db.Options, error) {
	w, err := c.Workspace(c.dir)
	if err != nil {
		return db.Options{}, err
	}
	o := w.Registry
	return db.Options{Now: o.Now, Wait: o.Wait, Holder: o.Holder, Waiting: o.Waiting, Rand: o.Rand, Trust: o.Trust}, nil
}

func isThere(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// onFile runs fn on the file as it is.
func (c *Checkup) onFile(ctx context.Context, fn func(*db.Examination) error) error {
	options, err := c.fileOptions()
	if err != nil {
		return err
	}
	e, err := db.Examine(ctx, c.dir.Registry(), options)
	if err != nil {
		return db.Diagnose(c.dir.Registry(), err)
	}
	defer e.Close()
	return db.Diagnose(c.dir.Registry(), fn(e))
}

// checkSchema tells whether this program can work with the file.
func (c *Checkup) checkSchema(ctx context.Context) (findings []Diagnosis) {
	err := c.onFile(ctx, func(e *db.Examination) error {
		switch path := c.dir.Registry(); {
		case e.Schema > e.Newest:
			findings = []Diagnosis{wrong("%s: schema %d was made by a newer sp, this one knows %d", path, e.Schema, e.Newest).remedy("upgrade sp")}
			return nil
		case e.Schema < e.Newest:
			findings = []Diagnosis{warn("%s: schema %d is older than this sp's, %d", path, e.Schema, e.Newest).
				remedy("the next command migrates it, and keeps a copy").
				mendable(c.migrate, "%s: migrated from schema %d to %d", path, e.Schema, e.Newest)}
			return nil
		}
		var err error
		findings, err = c.strays(ctx, e)
		return err
	})
	return c.troubled(findings, err)
}

// strays looks for what another program did to the schema. Only without it is the
// registry written to, for a trigger would run.
func (c *Checkup) strays(ctx context.Context, e *db.Examination) ([]Diagnosis, error) {
	c.have = needOurs
	strays, err := e.Strays(ctx)
	var findings bounded
	broken := false
	for _, stray := range strays {
		if stray.Altered {
			findings.add(warn("the schema was changed by another program, or written by another SQLite: %s", stray.What))
			continue
		}
		broken = true
		findings.add(wrong("the schema was changed by another program: %s", stray.What).
			remedy("undo that with sqlite3, or put a backup or a copy back"))
	}
	if err != nil || broken {
		return findings.all(), err
	}
	c.have = needRegistry
	if e.Logs {
		findings.add(inform("another program set the journal to wal; every command sets it back"))
	}
	return orFine(findings.all(), "as this sp makes it"), nil
}

// migrate brings the file to this program's schema, as opening it does.
func (c *Checkup) migrate(ctx context.Context) error {
	return c.read(ctx, func(*registry.View) error { return nil })
}

const restoreAdvice = "copy it, together with a -journal beside it, before anything else"

// checkIntegrity has SQLite look at every page. Nothing is read from, and nothing
// written by, a registry that is damaged.
func (c *Checkup) checkIntegrity(ctx context.Context) (findings []Diagnosis) {
	err := c.onFile(ctx, func(e *db.Examination) error {
		damages, err := e.Damages(ctx, maxFindings)
		for _, damage := range damages {
			findings = append(findings, wrong("%s: damaged: %s", c.dir.Registry(), damage).remedy(restoreAdvice))
		}
		return err
	})
	if err != nil || len(findings) > 0 {
		c.have = needFile
	}
	return c.troubled(orFine(findings, "every page is as it should be"), err)
}

func (c *Checkup) checkForeignKeys(ctx context.Context) (findings []Diagnosis) {
	err := c.onFile(ctx, func(e *db.Examination) error {
		orphans, err := e.Orphans(ctx)
		for _, o := range orphans {
			findings = append(findings, wrong("rows of %s that refer to rows of %s that are not there: %d", o.Table, o.Parent, o.Rows).
				remedy("the checks below tell which, if sp can mend it"))
		}
		return err
	})
	return c.troubled(orFine(findings, "no row refers to one that is not there"), err)
}

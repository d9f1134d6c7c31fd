package main

import (
	"context"
	"errors"
	"os"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// checkExportStanding tells how tenants.json stands to the registry.
func (c *checkup) checkExportStanding(ctx context.Context) []diagnosis {
	var s workspace.Standing
	err := c.read(ctx, func(dir project.Dir, view *registry.View) (err error) {
		s, err = exportStanding(ctx, dir, view)
		return err
	})
	said := describeStanding(s)
	switch {
	case err != nil:
		return []diagnosis{trouble(err)}
	case s == workspace.Missing || s == workspace.Behind:
		return []diagnosis{warn("%s", said).mendable(c.catchUp(true), "tenants.json was %s, and is current", s)}
	case s == unsafe:
		return []diagnosis{wrong("%s", said)}
	case s == workspace.Changed:
		if err := c.readExport(); err != nil {
			return []diagnosis{wrong("%v", err).remedy("mend it, or sp import --set-aside")}
		}
		return []diagnosis{warn("%s", said)}
	case s == unimported:
		return []diagnosis{warn("%s", said)}
	case s == workspace.Untracked:
		return []diagnosis{inform("%s", said)}
	}
	return []diagnosis{fine("%s", said)}
}

// readExport refuses what no command can merge.
func (c *checkup) readExport() error {
	path := c.dir.Tenants()
	s, err := c.openSource(&path)
	if err != nil {
		return err
	}
	defer s.close()
	if err = s.Check(); err == nil {
		return nil
	}
	return errors.New(failureOf(err).Message) // its hint is not for here
}

// catchUp makes a change of nothing, which does all that each change does besides:
// it sweeps what commands left, ends copies whose time is over, sets the journal back,
// and puts tenants.json in place, written anew if wanted. What somebody else wrote stays.
func (c *checkup) catchUp(wanted bool) func(context.Context) error {
	return func(ctx context.Context) error {
		p := tracked(c.dir)
		p.Wanted = wanted
		return c.changeIn(ctx, c.dir, workspace.Change{Copy: &p, Commit: nothing})
	}
}

// checkCopies lists the automatic copies: they hold what the registry held.
func (c *checkup) checkCopies(context.Context) []diagnosis {
	copies, err := db.Copies(c.dir.Registry())
	var findings []diagnosis
	for _, copied := range copies {
		ago := howLong(c.now().Sub(copied.Made))
		if copied.Expired(c.now()) {
			f := warn("%s: its time is over, it was made %s ago", copied.Path, ago).remedy("the next change removes it")
			if c.have >= needRegistry {
				f = f.mendable(c.catchUp(false), "%s: removed, its time was over", copied.Path)
			}
			findings = append(findings, f)
			continue
		}
		findings = append(findings, inform("%s: made %s ago, before a %s", copied.Path, ago, copied.Why).remedy("sp log purge removes it"))
	}
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return troubled(orFine(findings, "there are none"), err)
}

// checkKeptSecrets tells what could still be read of secrets that changes removed.
func (c *checkup) checkKeptSecrets(ctx context.Context) []diagnosis {
	var kept registry.Kept
	err := c.read(ctx, func(_ project.Dir, view *registry.View) (err error) {
		kept, err = view.KeptSecrets(ctx)
		return err
	})
	secrets, until := counted(kept.Secrets, "removed secret"), registry.FormatTime(kept.Until)
	switch {
	case err != nil:
		return []diagnosis{trouble(err)}
	case kept.Secrets == 0:
		return []diagnosis{fine("no removed secret is kept")}
	case !kept.Until.After(c.now()):
		return []diagnosis{warn("%s kept, whose time was over at %s", secrets, until).remedy("the next change forgets them").
			mendable(c.catchUp(false), "%s forgotten, whose time was over at %s", secrets, until)}
	}
	return []diagnosis{inform("%s kept for sp undo, until %s", secrets, until).remedy("sp log purge forgets them")}
}

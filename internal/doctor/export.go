package doctor

import (
	"context"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// StandingOf describes how tenants.json compares with the registry, and what the next command will
// do about it. why says what is wrong with an unreadable file.
func StandingOf(s workspace.Standing, why string) string { return standing(s, why).Message }

// standing is the diagnosis of that. What overwrites the work of others is named, but no next step.
func standing(s workspace.Standing, why string) Diagnosis {
	switch s {
	case workspace.Untracked:
		return inform("untracked: %s starts to keep tenants.json", to("sp export"))
	case workspace.Unimported:
		return warn("not taken over: %s merges the tenants.json that is there", to("sp import"))
	case workspace.Missing:
		return warn("missing: %s writes tenants.json again", to("sp export"))
	case workspace.Behind:
		return warn("behind: %s, or the next change, catches up", to("sp export"))
	case workspace.Unsafe:
		return wrong("refused as unsafe: what is there is not a regular file; move it away")
	case workspace.Changed:
		return warn("changed by someone else: %s, or the next change, merges it; sp export --force overwrites it", to("sp import"))
	case workspace.Unreadable:
		return wrong("unreadable: %s: the next change of a tenant refuses; mend it, or %s keeps it under another name and writes the registry's",
			why, to("sp import", "--set-aside"))
	}
	return fine("current")
}

// checkExport tells how tenants.json stands to the registry.
func (c *Checkup) checkExport(ctx context.Context) []Diagnosis {
	var s workspace.Standing
	var unreadable error
	w, err := c.Workspace(c.dir)
	if err == nil {
		err = w.Read(ctx, func(view *registry.View) (err error) {
			s, unreadable, err = w.Standing(ctx, view)
			return err
		})
	}
	d := standing(s, "")
	switch {
	case err != nil:
		return []Diagnosis{c.trouble(err)}
	case s == workspace.Missing || s == workspace.Behind:
		d = d.mendable(c.catchUp(true), "tenants.json was %s, and is current", s)
	case s == workspace.Unreadable:
		message, _ := c.Explain(unreadable) // its hint is not for here
		d = wrong("%s", message).remedy("mend it, or %s", to("sp import", "--set-aside"))
	}
	return []Diagnosis{d}
}

// catchUp makes a change of nothing, which does all that each change does besides:
// it sweeps what commands left, ends copies whose time is over, sets the journal back,
// and puts tenants.json in place, written anew if wanted. What somebody else wrote stays.
func (c *Checkup) catchUp(wanted bool) func(context.Context) error {
	return func(ctx context.Context) error {
		p := workspace.Publisher{Path: c.dir.Tenants(), Name: workspace.TrackedName, Wanted: wanted}
		return c.Change(ctx, c.dir, workspace.Change{Copy: &p, Commit: func(context.Context, *registry.Registry) error { return nil }})
	}
}

package doctor

import (
	"context"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// StandingOf describes how tenants.json compares with the registry, and what the next command will
// do about it. why says what is wrong with an unreadable file.
func StandingOf(s workspace.Standing, why string) string {
	switch s {
	case workspace.Untracked:
		return "untracked: sp export starts to keep tenants.json"
	case workspace.Unimported:
		return "not taken over: sp import merges the tenants.json that is there"
	case workspace.Missing:
		return "missing: sp export writes tenants.json again"
	case workspace.Behind:
		return "behind: sp export, or the next change, catches up"
	case workspace.Unsafe:
		return "refused as unsafe: what is there is not a regular file; move it away"
	case workspace.Changed:
		return "changed by someone else: sp import, or the next change, merges it; sp export --force overwrites it"
	case workspace.Unreadable:
		return "unreadable: " + why + ": the next change of a tenant refuses; mend it, or sp import --set-aside keeps it under another name and writes the registry's"
	}
	return "current"
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
	said := StandingOf(s, "")
	switch {
	case err != nil:
		return []Diagnosis{c.trouble(err)}
	case s == workspace.Missing || s == workspace.Behind:
		return []Diagnosis{warn("%s", said).mendable(c.catchUp(true), "tenants.json was %s, and is current", s)}
	case s == workspace.Unsafe:
		return []Diagnosis{wrong("%s", said)}
	case s == workspace.Unreadable:
		message, _ := c.Explain(unreadable) // its hint is not for here
		return []Diagnosis{wrong("%s", message).remedy("mend it, or %s", to("sp import", "--set-aside"))}
	case s == workspace.Changed || s == workspace.Unimported:
		return []Diagnosis{warn("%s", said)}
	case s == workspace.Untracked:
		return []Diagnosis{inform("%s", said)}
	}
	return []Diagnosis{fine("%s", said)}
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

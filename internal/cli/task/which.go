package task

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
	"github.com/sp-registry/sp/internal/workspace"
)

const profileFlag = "profile"

const profileVariable = "SYSTEMPROMPT_PROFILE"

// Profile returns the flag --profile, which every command has.
func Profile() cli.Flag {
	return cli.String(profileFlag, "NAME", "use profile NAME, or the profile.yaml at that path")
}

// Network returns the flag --network, which says from where the database is reached.
func Network() cli.Flag {
	return cli.Choice("network", "reach a cloud tenant's database from outside", string(resolver.ExternalNetwork))
}

// Request returns what the flags and the environment ask the resolver for.
func (t *Task) Request(dir project.Dir) resolver.Request {
	r := resolver.Request{
		Flag: t.Optional(profileFlag),
		Env:  t.Env(profileVariable),
		ReadProfile: func(path string) (string, *registry.TenantID, error) {
			full, err := t.Absolute(path)
			if err != nil {
				return "", nil, err
			}
			return readProfile(dir, full)
		},
	}
	if t.Has("network") {
		r.Network = resolver.Network(t.String("network"))
	}
	return r
}

// readProfile returns the name of the profile that an absolute path stands for, and the
// tenant that its file names, if it names one.
func readProfile(dir project.Dir, path string) (name string, tenant *registry.TenantID, err error) {
	name, text, err := dir.ReadProfile(path)
	if err != nil {
		return "", nil, err
	}
	if tenant, err = follow.TenantOf(text); err != nil {
		return "", nil, fmt.Errorf("profile %s: %w", path, err)
	}
	return name, tenant, workspace.FilesOf(dir).CheckReferences(name, text, dir.Confine)
}

// RefuseBoth refuses an argument that names a tenant or profile together with --profile.
func (t *Task) RefuseBoth(word *string) error {
	if word == nil || !t.IsSet(profileFlag) {
		return nil
	}
	return cli.Usage("%s: --profile excludes %s", t.Command, cli.Harmless(*word))
}

// Tenant returns the tenant that a word means. Without a word, it is the tenant of the profile in
// effect or, if there is none, the selected tenant. If those two differ, Tenant says on stderr
// which one it takes.
func (t *Task) Tenant(ctx context.Context, dir project.Dir, view *registry.View, word *string) (registry.Tenant, error) {
	if err := t.RefuseBoth(word); err != nil {
		return registry.Tenant{}, err
	}
	if word != nil {
		return view.FindTenant(ctx, *word)
	}
	f, err := resolver.InEffect(ctx, view, t.Request(dir))
	switch {
	case err == nil:
		return *f.Tenant, t.TellOther(ctx, view, f)
	case errors.As(err, new(*resolver.NothingError)), f.Err != nil && (f.Source == resolver.FromSession || f.Source == resolver.FromDefault):
		return view.TenantOrSelected(ctx, nil)
	}
	return registry.Tenant{}, AdviseResolving(err)
}

// ProfileInEffect returns the profile that a word names or, without a word, the profile in effect.
func (t *Task) ProfileInEffect(ctx context.Context, dir project.Dir, view *registry.View, word *string) (registry.Profile, error) {
	if err := t.RefuseBoth(word); err != nil {
		return registry.Profile{}, err
	}
	if word != nil {
		return view.Profile(ctx, *word)
	}
	f, err := resolver.InEffect(ctx, view, t.Request(dir))
	if err != nil {
		return registry.Profile{}, AdviseResolving(err)
	}
	return *f.Profile, t.TellOther(ctx, view, f)
}

// sources are the sources that can name another tenant than the selected one, as people call them.
var sources = map[resolver.Source]string{
	resolver.FromFlag: "--profile", resolver.FromEnvironment: profileVariable, resolver.FromDefault: "the default",
}

// TellOther says on which tenant the command acts, if that is not the selected one.
func (t *Task) TellOther(ctx context.Context, view *registry.View, f resolver.Finding) error {
	selection, err := view.Selection(ctx)
	if err == nil && selection.Tenant != nil && *selection.Tenant != f.Tenant.ID {
		t.NoteLater("this is tenant %s, of profile %s (%s); selected is %s", f.Tenant, f.Profile.Name, sources[f.Source], *selection.Tenant)
	}
	return err
}

// UnsetHint says how what was chosen comes to count.
const UnsetHint = "hint: unset " + profileVariable + " lets your choice count"

// TellOutranked warns after a selection if SYSTEMPROMPT_PROFILE outranks it and leads to another
// tenant or nowhere.
func (t *Task) TellOutranked(ctx context.Context, selected registry.TenantID) error {
	if name := t.Env(profileVariable); name == nil || *name == "" {
		return nil
	}
	return Afterwards(t.Read(context.WithoutCancel(ctx), func(dir project.Dir, view *registry.View) error {
		r := t.Request(dir)
		r.Flag = nil // of this command alone
		switch f, err := resolver.InEffect(ctx, view, r); {
		case f.Source != resolver.FromEnvironment:
			return err
		case err != nil:
			t.NoteLater("warning: %s outranks what is selected: %v", profileVariable, err)
			t.NoteLater("%s", UnsetHint)
		case f.Tenant.ID != selected:
			t.NoteLater("warning: %s outranks what is selected: it leads to tenant %s", profileVariable, f.Tenant)
			t.NoteLater("%s", UnsetHint)
		}
		return nil
	}))
}

// RefuseDoubt refuses an irreversible command without an argument if SYSTEMPROMPT_PROFILE names
// another tenant than the selected one.
func (t *Task) RefuseDoubt(ctx context.Context, dir project.Dir, view *registry.View, word *string) error {
	if word != nil || t.IsSet(profileFlag) {
		return nil
	}
	selection, err := view.Selection(ctx)
	if err != nil || selection.Tenant == nil {
		return err
	}
	f, err := resolver.InEffect(ctx, view, t.Request(dir))
	if f.Source != resolver.FromEnvironment {
		return nil // what else is the matter does not concern the variable
	}
	if err != nil {
		return AdviseResolving(err)
	}
	if f.Tenant.ID == *selection.Tenant {
		return nil
	}
	outside, err := t.wordFor(ctx, view, f.Tenant.ID)
	if err != nil {
		return err
	}
	selected, err := t.wordFor(ctx, view, *selection.Tenant)
	if err != nil {
		return err
	}
	doubt := &registry.AmbiguousError{Word: t.Command, Candidates: []registry.Candidate{
		{Word: outside, Text: fmt.Sprintf("tenant %s (%s)", f.Tenant, profileVariable)},
		{Word: selected, Text: fmt.Sprintf("tenant %s (selected)", *selection.Tenant)},
	}}
	return cli.Hint(doubt, "--profile NAME says which")
}

// wordFor is what the command takes for a tenant: its id or, without an argument, the flag with its
// session's profile, else its first one. It is empty where there is none.
func (t *Task) wordFor(ctx context.Context, view *registry.View, id registry.TenantID) (string, error) {
	if t.TakesArgs() {
		return string(id), nil
	}
	const flag = "--" + profileFlag + "="
	session, err := view.Session(ctx, id)
	switch {
	case err != nil:
		return "", err
	case session != nil:
		return flag + session.Profile, nil
	}
	profiles, err := view.ProfilesOf(ctx, &id, 1)
	if err != nil || len(profiles) == 0 {
		return "", err
	}
	return flag + profiles[0].Name, nil
}

// noTenantHint is for where no tenant is selected, and perhaps none is there.
func noTenantHint() cli.Advice {
	return selectOne().And(cli.Advise("if that lists none: %s, or %s of a tenants.json", firstTenant, firstImport))
}

var firstTenant, firstImport = cli.To("sp tenant create", "--name", "NAME"), cli.To("sp import", "PATH")

func selectOne() cli.Advice {
	return cli.Advise("%s, then %s", cli.To("sp tenant list"), cli.To("sp tenant select", "ID"))
}

// adviseNoTenant adds to an error that no tenant is selected what helps here.
func adviseNoTenant(ctx context.Context, view *registry.View, err error) error {
	tenants, unread := view.Len(ctx)
	switch nothing := new(resolver.NothingError); {
	case unread != nil:
		return err
	case tenants == 0:
		return cli.Hint(err, "%s, or %s of a tenants.json", firstTenant, firstImport)
	case errors.As(err, &nothing) && len(nothing.Candidates) > 0:
		return cli.HintAt(err, selectOne().And(cli.Advise("or name a profile: --profile NAME")))
	}
	return cli.HintAt(err, selectOne())
}

// AdviseResolving adds a hint to an error of the resolver.
func AdviseResolving(err error) error {
	var nothing *resolver.NothingError
	var url *resolver.URLError
	link := cli.To("sp profile create", "NAME")
	switch {
	case errors.As(err, &nothing) && nothing.Selection.Tenant == nil:
		return cli.WithCandidates(err, nothing.Candidates...) // adviseNoTenant does the rest
	case errors.As(err, &nothing) && len(nothing.Candidates) == 0:
		return cli.Hint(err, "%s links one to the selected tenant", link)
	case errors.As(err, &nothing):
		return cli.Hint(cli.WithCandidates(err, nothing.Candidates...), "%s, or --profile NAME\n%s links a new one to the selected tenant",
			cli.To("sp session switch", "NAME"), link)
	case errors.As(err, &url):
		return adviseURL(err, url)
	case errors.Is(err, registry.ErrConflict):
		return cli.Hint(err, "put the tenant's id into cloud.tenant_id of the file, or give the profile the other tenant: %s",
			cli.To("sp profile edit", "NAME", "--tenant", "ID"))
	}
	return err
}

func adviseURL(err error, e *resolver.URLError) error {
	id := string(e.Tenant)
	switch {
	case e.Fault == resolver.Off:
		return cli.Hint(err, "%s turns it on, at the control plane too", cli.To("sp tenant edit", id, "--external-db-access"))
	case e.Kind == registry.Cloud && e.Member == "database_url":
		return cli.Hint(err, "%s fetches it from the control plane, %s takes it from you",
			cli.To("sp tenant provision", id), cli.To("sp tenant edit", id, "--database-url-stdin"))
	case e.Member == "internal_database_url":
		return cli.Hint(err, "%s fetches it from the control plane, %s takes it from you",
			cli.To("sp tenant provision", id), cli.To("sp tenant edit", id, "--internal-database-url-stdin"))
	case e.Fault == resolver.Absent || e.Fault == resolver.Empty:
		return cli.Hint(err, "%s makes a database, %s names one", cli.To("sp tenant provision", id), cli.To("sp tenant edit", id, "--database-url-stdin"))
	}
	return cli.Hint(err, "%s", cli.To("sp tenant edit", id, "--database-url-stdin"))
}

package project

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/sp-registry/sp/internal/registry"
)

// index is what becomes of sessions/index.json. It is made for the first session.
func (f *follower) index(ctx context.Context) error {
	s, err := f.look(ctx, IndexPath, IndexPath)
	if err != nil {
		return err
	}
	state, some, err := f.dir.IndexState(ctx, f.view)
	if err != nil || !some && !s.there && s.known == nil {
		return err
	}
	if f.o.Defer {
		f.putOff(s)
		return nil
	}
	if s.there && !s.isOurs() && s.hash != f.o.Taken && !f.o.Force {
		return &ChangedError{Path: IndexPath}
	}
	base := s.base()
	if f.o.Force {
		base = s.text
	}
	state.Chosen = f.due.Sessions
	text, err := WriteIndex(s.text, base, state, f.o.Now)
	if err != nil {
		return fmt.Errorf("%s: %w", f.dir.Full(IndexPath), err)
	}
	f.become(s, text, string(RenderIndex(state)), false)
	return nil
}

// IndexState returns what the index of the sessions is to show of a view, and whether
// there is any session.
func (d Dir) IndexState(ctx context.Context, view *registry.View) (state IndexState, some bool, err error) {
	for session, err := range view.Sessions(ctx, registry.Page{}) {
		if err != nil {
			return state, false, err
		}
		some = true
		if session.Authentication != nil {
			state.Sessions = append(state.Sessions, session)
		}
	}
	selection, err := view.Selection(ctx)
	if err != nil || selection.Tenant == nil {
		return state, some, err
	}
	state.Active = selection.Tenant
	active, err := view.Session(ctx, *selection.Tenant)
	if active != nil {
		state.ActiveProfile = &active.Profile
	}
	state.ProfilePath = func(name string) string { return d.Full(ProfilePath(name)) }
	return state, some, err
}

// ProfilePath is where the configuration of a profile lies within the directory.
func ProfilePath(name string) string { return "profiles/" + name + "/profile.yaml" }

// SecretsPath is where the secrets of a profile lie within the directory.
func SecretsPath(name string) string { return "profiles/" + name + "/secrets.json" }

// profile is what becomes of the files of a profile.
func (f *follower) profile(ctx context.Context, name string) error {
	p, err := f.view.Profile(ctx, name)
	if errors.Is(err, registry.ErrNotFound) {
		return f.gone(ctx, name)
	}
	if err != nil {
		return err
	}
	from, err := f.movedFrom(ctx, name)
	if err != nil {
		return err
	}
	if err := f.configuration(ctx, p, from); err != nil {
		return err
	}
	return f.secrets(ctx, p, from)
}

// movedFrom returns the name that a profile had before the change, and has its
// directory renamed.
func (f *follower) movedFrom(ctx context.Context, name string) (string, error) {
	for from, to := range f.due.Renamed {
		if to != name || f.o.Defer {
			continue
		}
		_, there, err := f.dir.ReadFile(ProfilePath(from))
		if err != nil || !there {
			return name, err
		}
		f.found.Moves = append(f.found.Moves, FileMove{From: "profiles/" + from, To: "profiles/" + name})
		return from, f.inherit(ctx, from, name)
	}
	return name, nil
}

// inherit has what is remembered of the files under the old name hold for the new one.
func (f *follower) inherit(ctx context.Context, from, to string) error {
	for old, path := range map[string]string{ProfilePath(from): ProfilePath(to), SecretsPath(from): SecretsPath(to)} {
		known, err := f.remembered(ctx, old)
		if err != nil {
			return err
		}
		if known != nil {
			moved := *known
			moved.Path = path
			f.known[path] = &moved
		}
	}
	return nil
}

// configuration is what becomes of profile.yaml: it is made once, and of one that is
// there only what names the tenant and the profile follows.
func (f *follower) configuration(ctx context.Context, p registry.Profile, from string) error {
	s, err := f.look(ctx, ProfilePath(p.Name), ProfilePath(from))
	if err != nil {
		return err
	}
	if f.o.Defer {
		f.putOff(s)
		return nil
	}
	text := s.text
	switch {
	case s.there:
		text, err = f.linked(s, p, from)
	case s.known != nil && s.known.Base != "":
		text = s.base()
	default:
		var t registry.Tenant
		t, err = f.view.Tenant(ctx, p.Tenant)
		text = ProfileYAML(p.Name, t)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.dir.Full(s.at), err)
	}
	f.become(s, text, string(text), true)
	return nil
}

// linked returns the text of a profile.yaml that names this tenant, and the profile as
// it is called now. One that somebody else made name another tenant stays.
func (f *follower) linked(s standingFile, p registry.Profile, from string) ([]byte, error) {
	has, err := tenantOf(s.text)
	if err != nil {
		return nil, err
	}
	var edits []YAMLEdit
	if from != p.Name {
		if edits, err = renamed(s.text, from, p.Name); err != nil {
			return nil, err
		}
	}
	if has == nil || *has != p.Tenant {
		was, err := tenantOf(s.base())
		if err != nil {
			return nil, err
		}
		changed := (has == nil) != (was == nil) || has != nil && *has != *was
		if changed && !f.o.Force {
			return nil, fmt.Errorf("it names another tenant than %s, to which the profile belongs: %w", p.Tenant, registry.ErrConflict)
		}
		edits = append(edits, YAMLEdit{Path: []string{"cloud", "tenant_id"}, Value: string(p.Tenant)})
	}
	return EditYAML(s.text, edits)
}

// renamed are the edits that give a profile.yaml that calls itself by the profile's old
// name the new one.
func renamed(text []byte, from, to string) (edits []YAMLEdit, err error) {
	top, err := parse(text)
	if err != nil || top == nil {
		return nil, err
	}
	for name, was := range map[string]string{"name": from, "display_name": DisplayName(from)} {
		value, err := member(top, name)
		if err != nil {
			return nil, err
		}
		if value != nil && value.Kind == yaml.ScalarNode && value.Value == was {
			now := to
			if name == "display_name" {
				now = DisplayName(to)
			}
			edits = append(edits, YAMLEdit{Path: []string{name}, Value: now})
		}
	}
	return edits, nil
}

// secrets is what becomes of secrets.json.
func (f *follower) secrets(ctx context.Context, p registry.Profile, from string) error {
	s, err := f.look(ctx, SecretsPath(p.Name), SecretsPath(from))
	if err != nil {
		return err
	}
	if f.o.Defer {
		f.putOff(s)
		return nil
	}
	members, err := SecretMembers(ctx, f.view, p)
	if err != nil {
		return err
	}
	base := s.base()
	if f.o.Force {
		base, err = forced(s.text, base, members)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.dir.Full(s.path), err)
	}
	text, conflicts, err := WriteSecrets(s.text, base, members)
	if err != nil {
		return fmt.Errorf("%s: %w", f.dir.Full(s.path), err)
	}
	if len(conflicts) > 0 {
		return &ChangedError{Path: s.path, Members: conflicts}
	}
	f.become(s, text, string(RenderSecrets(members)), false)
	return nil
}

// forced is a base against which another program changed nothing that sp has written or
// writes now.
func forced(text, base []byte, ours []SecretMember) ([]byte, error) {
	theirs, err := ReadSecrets(text)
	if err != nil {
		return nil, err
	}
	old, err := ReadSecrets(base)
	if err != nil {
		return nil, err
	}
	named := func(m SecretMember) func(SecretMember) bool {
		return func(o SecretMember) bool { return o.Name == m.Name }
	}
	theirs = slices.DeleteFunc(theirs, func(m SecretMember) bool {
		return !slices.ContainsFunc(old, named(m)) && !slices.ContainsFunc(ours, named(m))
	})
	return RenderSecrets(theirs), nil
}

// SecretMembers are the members of a profile's secrets.json that sp writes: what is its
// tenant's, but for a masked URL, and its own.
func SecretMembers(ctx context.Context, view *registry.View, p registry.Profile) ([]SecretMember, error) {
	t, err := view.Tenant(ctx, p.Tenant)
	if err != nil {
		return nil, err
	}
	own, err := view.ProfileSecrets(ctx, p.Name)
	members := TenantMembers(t)
	for _, s := range own {
		members = append(members, SecretMember{Name: s.Key, Value: s.Value})
	}
	return members, err
}

// TenantMembers are the members of secrets.json that are the tenant's. Its database_url
// is what every version of the original asks for; a cloud tenant that has none for the
// outside gets the internal one there, too.
func TenantMembers(t registry.Tenant) (members []SecretMember) {
	url := t.DatabaseURL
	if t.IsCloud() && !isUsable(url) {
		url = t.InternalDatabaseURL
	}
	for _, m := range []struct {
		name  string
		value *registry.Secret
	}{{"database_url", url}, {"internal_database_url", t.InternalDatabaseURL}, {"sync_token", t.SyncToken}} {
		if isUsable(m.value) {
			members = append(members, SecretMember{Name: m.name, Value: *m.value})
		}
	}
	return members
}

func isUsable(s *registry.Secret) bool { return s != nil && !s.Empty() && !registry.IsMasked(*s) }

// gone is what becomes of the files of a profile that is no more: those that sp wrote
// and nobody else changed go.
func (f *follower) gone(ctx context.Context, name string) error {
	_, moved := f.due.Renamed[name]
	for _, path := range []string{SecretsPath(name), ProfilePath(name)} {
		s, err := f.look(ctx, path, path)
		if err != nil {
			return err
		}
		switch {
		case s.known == nil && !s.there || moved && s.known == nil:
		case s.known != nil && (moved || f.o.Defer):
			f.putOff(s)
		case s.known != nil && !s.there:
			f.found.Forgotten = append(f.found.Forgotten, path)
		case s.isOurs() && s.known.Previous != s.known.Current:
			f.putOff(s)
			f.found.Changes = append(f.found.Changes, FileChange{Path: path, Expected: s.hash})
		default:
			f.found.Left = append(f.found.Left, path)
			if s.known != nil {
				f.found.Forgotten = append(f.found.Forgotten, path)
			}
		}
	}
	return nil
}

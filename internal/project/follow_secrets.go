package project

import (
	"context"
	"fmt"
	"slices"

	"github.com/sp-registry/sp/internal/registry"
)

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
	if f.o.Force || s.isOurs() && len(base) == 0 { // or that of a profile of this name that went and left its file
		base, err = forced(s.text, base, members)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.dir.Full(s.path), err)
	}
	text, conflicts, err := WriteSecrets(s.text, base, members)
	if err != nil {
		return fmt.Errorf("%s: %w", f.dir.Full(s.path), err)
	}
	if len(conflicts) > 0 && f.o.Lenient && s.known == nil {
		f.found.Differing = append(f.found.Differing, &ChangedError{Path: f.dir.Full(s.path), Members: conflicts})
		return nil
	}
	if len(conflicts) > 0 {
		return &ChangedError{Path: f.dir.Full(s.path), Members: conflicts}
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

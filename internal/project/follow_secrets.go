package project

import (
	"context"
	"fmt"
	"slices"

	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
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
	taken, err := f.mayTake(s)
	if err != nil {
		return f.conflict(s, err, f.concerns(p.Name))
	}
	text, conflicts, err := f.merged(&s, members, !taken)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", f.dir.Full(s.at), err)
	case len(conflicts) > 0 && f.o.Keep && s.known == nil:
		f.adopt(s, text, members)
		fallthrough
	case len(conflicts) > 0:
		return f.conflict(s, &ChangedError{Path: f.dir.Full(s.at), Members: conflicts}, f.concerns(p.Name))
	}
	f.become(s, text, RenderSecrets(members), false)
	return nil
}

// adopt takes what a file that sp has not written says otherwise for a change of
// another program's: it holds there until the same changes here.
func (f *follower) adopt(s standingFile, ours []byte, members []SecretMember) {
	f.found.Files = append(f.found.Files, registry.FollowingFile{
		Path: s.path, Previous: s.hash, Current: hashOf(append(ours, '\n')), Base: string(RenderSecrets(members)),
	})
}

// mayTake tells whether what another program did to a file that sp wrote may stay.
func (f *follower) mayTake(s standingFile) (bool, error) {
	if f.o.MayTake == nil || f.o.Force || !s.there || s.isOurs() {
		return true, nil
	}
	return f.o.MayTake(s.path)
}

// merged puts the members into the file, against the base that holds for it.
func (f *follower) merged(s *standingFile, members []SecretMember, force bool) (text []byte, conflicts []string, err error) {
	if s.base, err = s.secretBase(); err != nil {
		return nil, nil, err
	}
	base := s.base
	if f.o.Force || force {
		if base, err = forced(s.text, base, members); err != nil {
			return nil, nil, err
		}
	}
	return WriteSecrets(s.text, base, members)
}

// secretBase is what sp wrote last, but for the members that the file has, or lacks, as it
// did before that: there a command was stopped, or another program put back what it had read.
func (s standingFile) secretBase() ([]byte, error) {
	if s.was == nil || !s.there {
		return s.base, nil
	}
	var all [3][]SecretMember
	for i, text := range [][]byte{s.text, s.was, s.base} {
		var err error
		if all[i], err = ReadSecrets(text); err != nil {
			return nil, err
		}
	}
	theirs, was, base := all[0], all[1], all[2]
	base = slices.DeleteFunc(base, func(m SecretMember) bool {
		return secretNamed(was, m.Name) == nil && secretNamed(theirs, m.Name) == nil
	})
	for _, m := range was {
		if value := secretNamed(theirs, m.Name); value != nil && digest(*value).Equal(m.Value) {
			base = append(slices.DeleteFunc(base, named(m.Name)), SecretMember{Name: m.Name, Value: *value})
		}
	}
	return RenderSecrets(base), nil
}

// digested are the members of a base with digests in place of the values.
func digested(base []byte) []byte {
	members, err := ReadSecrets(base)
	if err != nil {
		return nil // it says nothing then
	}
	for i, m := range members {
		members[i].Value = digest(m.Value)
	}
	return RenderSecrets(members)
}

func digest(s secret.Secret) secret.Secret { return secret.New(hashOf([]byte(s.Reveal()))) }

func named(name string) func(SecretMember) bool {
	return func(m SecretMember) bool { return m.Name == name }
}

func secretNamed(members []SecretMember, name string) *secret.Secret {
	if at := slices.IndexFunc(members, named(name)); at >= 0 {
		return &members[at].Value
	}
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
	theirs = slices.DeleteFunc(theirs, func(m SecretMember) bool {
		return secretNamed(old, m.Name) == nil && secretNamed(ours, m.Name) == nil
	})
	return RenderSecrets(theirs), nil
}

// isAllOurs tells whether a secrets.json holds nothing that sp has not written.
func (s standingFile) isAllOurs() bool {
	file, err := parseSecrets(s.text)
	base, bad := parseSecrets(s.base)
	was, worse := parseSecrets(s.was)
	if err != nil || bad != nil || worse != nil {
		return false
	}
	return !slices.ContainsFunc(file, func(m jsontext.Member) bool {
		text, _ := jsontext.Text(m.Value)
		return !isNone(m.Value) && m.Value != base.Value(m.Name) && jsontext.Quote(hashOf([]byte(text))) != was.Value(m.Name)
	})
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
		value *secret.Secret
	}{{"database_url", url}, {"internal_database_url", t.InternalDatabaseURL}, {"sync_token", t.SyncToken}} {
		if isUsable(m.value) {
			members = append(members, SecretMember{Name: m.name, Value: *m.value})
		}
	}
	return members
}

func isUsable(s *secret.Secret) bool { return s != nil && !s.Empty() && !registry.IsMasked(*s) }

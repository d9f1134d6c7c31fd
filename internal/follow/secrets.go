package follow

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// SecretsPath returns the path of a profile's secrets.json within the directory.
func SecretsPath(profile string) string { return "profiles/" + profile + "/secrets.json" }

// renderSecrets is the secrets.json of a profile that has none.
func renderSecrets(ctx context.Context, d *decider, f *file) (text, base []byte, err error) {
	members, err := secretMembers(ctx, d.view, f.profile)
	if err != nil {
		return nil, nil, err
	}
	if text, _, err = writeSecrets(nil, nil, members); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", d.full(f), err)
	}
	return text, baseOfSecrets(members), nil
}

// mergeSecrets is secrets.json with the members that differ from what sp wrote there.
func mergeSecrets(ctx context.Context, d *decider, f *file) (text, base []byte, err error) {
	members, err := secretMembers(ctx, d.view, f.profile)
	if err != nil {
		return nil, nil, err
	}
	taken, err := d.mayTake(f)
	if err != nil {
		return nil, nil, err
	}
	text, conflicts, err := f.mergeMembers(members, d.o.Force || !taken)
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("%s: %w", d.full(f), err)
	case len(conflicts) > 0 && d.o.Keep && f.known == nil:
		d.adopt(f, text, members)
		fallthrough
	case len(conflicts) > 0:
		return nil, nil, &ChangedError{Path: d.full(f), Members: conflicts}
	}
	return text, baseOfSecrets(members), nil
}

// adopt takes what a file that sp has not written says otherwise for a change of
// another program's: it holds there until the same changes here.
func (d *decider) adopt(f *file, ours []byte, members []secretMember) {
	d.found.Files = append(d.found.Files, f.following(hashOf(append(ours, '\n')), baseOfSecrets(members)))
}

// mergeMembers puts the members into the file, against the base that holds for it.
func (f *file) mergeMembers(members []secretMember, force bool) (text []byte, conflicts []string, err error) {
	if f.base, err = f.secretBase(); err != nil {
		return nil, nil, err
	}
	base := f.base
	if len(f.contested) > 0 {
		if base, err = f.contest(); err != nil {
			return nil, nil, err
		}
	}
	if force {
		if base, err = forced(f.text, base, members); err != nil {
			return nil, nil, err
		}
	}
	return writeSecrets(f.text, base, members)
}

// contest returns the base with what holds for neither side in the members that both changed.
func (f *file) contest() ([]byte, error) {
	base, err := parseSecrets(f.base)
	for _, m := range f.contested {
		if base = base.Without(m.Name); m.Value != "" {
			base = base.With(m.Name, m.Value)
		}
	}
	return []byte(base.Compact()), err
}

// asideSecrets adds what another program changed in a secrets.json while sp replaced it. Its
// writer had read no more than what sp had written before: what sp changed since is contested.
func asideSecrets(f *file, text []byte) error {
	theirs, err := parseSecrets(text)
	there, bad := parseSecrets(f.text)
	stood, worse := parseSecrets(f.stood)
	base, worst := parseSecrets(f.base)
	was, last := parseSecrets(f.was)
	if err := errors.Join(err, bad, worse, worst, last); err != nil {
		return err
	}
	merged := there
	for _, name := range namesOf(theirs, was, base) {
		value := theirs.Value(name)
		switch {
		case f.was != nil && (isNone(value) && was.Value(name) == "" || digestOf(value) == was.Value(name)),
			f.was == nil && (value == base.Value(name) || isNone(value) && base.Value(name) == ""),
			f.there && !f.isOurs() && stood.Value(name) != base.Value(name): // changed since
			continue
		case value == "":
			merged = merged.Without(name)
		default:
			merged = merged.With(name, value)
		}
		if f.was == nil && base.Value(name) != "" || f.was != nil && digestOf(base.Value(name)) != was.Value(name) {
			f.contested = append(f.contested, jsontext.Member{Name: name, Value: was.Value(name)})
		}
	}
	if merged.Compact() != there.Compact() || !f.there {
		f.text = merged.Pretty()
	}
	return nil
}

// digestOf is the digest of a value as a base keeps it, nothing for none.
func digestOf(value string) string {
	text, ok := jsontext.Text(value)
	if !ok {
		return ""
	}
	return jsontext.Quote(hashOf([]byte(text)))
}

func namesOf(objects ...jsontext.Object) (names []string) {
	for _, o := range objects {
		for _, m := range o {
			names = append(names, m.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// changedSecrets takes any other file of secrets for one that another program changed.
func changedSecrets(text, _ []byte) (bool, error) {
	_, err := parseSecrets(text)
	return true, err
}

// secretBase is what sp wrote last, but for the members that the file has, or lacks, as it
// did before that: there a command was stopped, or another program put back what it had read.
func (f *file) secretBase() ([]byte, error) {
	if f.was == nil || !f.there {
		return f.base, nil
	}
	var all [3][]secretMember
	for i, text := range [][]byte{f.text, f.was, f.base} {
		var err error
		if all[i], err = readSecrets(text); err != nil {
			return nil, err
		}
	}
	theirs, was, base := all[0], all[1], all[2]
	base = slices.DeleteFunc(base, func(m secretMember) bool {
		return secretNamed(was, m.Name) == nil && secretNamed(theirs, m.Name) == nil
	})
	for _, m := range was {
		if value := secretNamed(theirs, m.Name); value != nil && digest(*value).Equal(m.Value) {
			base = append(slices.DeleteFunc(base, named(m.Name)), secretMember{Name: m.Name, Value: *value})
		}
	}
	return baseOfSecrets(base), nil
}

// digested are the members of a base with digests in place of the values.
func digested(base []byte) []byte {
	members, err := readSecrets(base)
	if err != nil {
		return nil // it says nothing then
	}
	for i, m := range members {
		members[i].Value = digest(m.Value)
	}
	return baseOfSecrets(members)
}

func digest(s secret.Secret) secret.Secret { return secret.New(hashOf([]byte(s.Reveal()))) }

func named(name string) func(secretMember) bool {
	return func(m secretMember) bool { return m.Name == name }
}

func secretNamed(members []secretMember, name string) *secret.Secret {
	if at := slices.IndexFunc(members, named(name)); at >= 0 {
		return &members[at].Value
	}
	return nil
}

// forced is a base against which another program changed nothing that sp has written or
// writes now.
func forced(text, base []byte, ours []secretMember) ([]byte, error) {
	theirs, err := readSecrets(text)
	if err != nil {
		return nil, err
	}
	old, err := readSecrets(base)
	if err != nil {
		return nil, err
	}
	theirs = slices.DeleteFunc(theirs, func(m secretMember) bool {
		return secretNamed(old, m.Name) == nil && secretNamed(ours, m.Name) == nil
	})
	return baseOfSecrets(theirs), nil
}

// goneSecrets tells whether a secrets.json holds nothing that sp has not written.
func goneSecrets(f *file) bool {
	file, err := parseSecrets(f.text)
	base, bad := parseSecrets(f.base)
	was, worse := parseSecrets(f.was)
	if err != nil || bad != nil || worse != nil {
		return false
	}
	return !slices.ContainsFunc(file, func(m jsontext.Member) bool {
		return !isNone(m.Value) && m.Value != base.Value(m.Name) && digestOf(m.Value) != was.Value(m.Name)
	})
}

// secretMembers are the members of a profile's secrets.json that sp writes: what is its
// tenant's, but for a masked URL, and its own.
func secretMembers(ctx context.Context, view *registry.View, p registry.Profile) ([]secretMember, error) {
	t, err := view.Tenant(ctx, p.Tenant)
	if err != nil {
		return nil, err
	}
	own, err := view.ProfileSecrets(ctx, p.Name)
	members := tenantMembers(t)
	for _, s := range own {
		members = append(members, secretMember{Name: s.Key, Value: s.Value})
	}
	return members, err
}

// tenantMembers are the members of secrets.json that are the tenant's. Its database_url
// is what every version of the original asks for; a cloud tenant that has none for the
// outside gets the internal one there, too.
func tenantMembers(t registry.Tenant) (members []secretMember) {
	url := t.DatabaseURL
	if t.IsCloud() && !isUsable(url) {
		url = t.InternalDatabaseURL
	}
	for _, m := range []struct {
		name  string
		value *secret.Secret
	}{{"database_url", url}, {"internal_database_url", t.InternalDatabaseURL}, {"sync_token", t.SyncToken}} {
		if isUsable(m.value) {
			members = append(members, secretMember{Name: m.name, Value: *m.value})
		}
	}
	return members
}

func isUsable(s *secret.Secret) bool { return s != nil && !s.Empty() && !pgurl.IsMasked(*s) }

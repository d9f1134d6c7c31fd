package follow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sp-registry/sp/internal/registry"
)

// ProfilePath returns the path of a profile's profile.yaml within the directory.
func ProfilePath(profile string) string { return "profiles/" + profile + "/profile.yaml" }

// renderProfile is the profile.yaml of a profile that has none. It is made once.
func renderProfile(ctx context.Context, d *decider, f *file) (text, base []byte, err error) {
	t, err := d.view.Tenant(ctx, f.profile.Tenant)
	if err != nil {
		return nil, nil, err
	}
	text = d.o.Configurations[f.profile.Name]
	if text == nil {
		text = profileYAML(f.profile.Name, t)
	}
	return d.edited(f, text, text, d.o.Edits[f.profile.Name])
}

// mergeProfile is a profile.yaml of which what names the tenant and the profile follows,
// and nothing else.
func mergeProfile(ctx context.Context, d *decider, f *file) (text, base []byte, err error) {
	p := f.profile
	if base, err = d.profileBase(f); err != nil {
		return nil, nil, unreadable(d.full(f), err)
	}
	edits, err := f.unplaced()
	if err != nil {
		return nil, nil, unreadable(d.full(f), err)
	}
	edits = append(edits, d.o.Edits[p.Name]...)
	foreign, err := d.isOfAnotherMachine(ctx, f)
	if err != nil {
		return nil, nil, unreadable(d.full(f), err)
	}
	if foreign && !d.o.Force {
		return d.takeOver(f, edits)
	}
	elsewhere, err := linksElsewhere(f.text, base, p.Tenant)
	switch {
	case err != nil:
		return nil, nil, unreadable(d.full(f), err)
	case elsewhere && !d.o.Force:
		return nil, nil, fmt.Errorf("%s: it does not name tenant %s, to which the profile belongs (mend it, or sp export --force): %w",
			d.full(f), p.Tenant, registry.ErrConflict)
	}
	return d.relink(f, base, edits)
}

// changedProfile tells whether another program changed whose the profile is: all else
// people are to edit.
func changedProfile(text, base []byte) (bool, error) {
	has, err := TenantOf(text)
	if err != nil {
		return false, asYAML(err)
	}
	was, err := TenantOf(base) // nil: it is a shared one, and its tenant no business of sp's
	return was != nil && !equal(has, was), err
}

// isOfAnotherMachine tells whether a profile.yaml names a tenant that sp did not write there
// and this registry does not know. A local one is: each machine has its own. Another is
// where sp never named one.
func (d *decider) isOfAnotherMachine(ctx context.Context, f *file) (bool, error) {
	has, err := TenantOf(f.text)
	if err != nil || has == nil || *has == f.profile.Tenant {
		return false, err
	}
	base, err := TenantOf(f.base)
	was, bad := TenantOf(f.was)
	if err := errors.Join(err, bad); err != nil {
		return false, err
	}
	before, moved := d.due.Relinked[f.profile.Name]
	switch {
	case equal(has, base), equal(has, was), moved && *has == before:
		return false, nil
	case base != nil && !registry.IsLocalID(*has):
		return false, nil
	}
	_, err = d.view.Tenant(ctx, *has)
	if errors.Is(err, registry.ErrNotFound) {
		return true, nil
	}
	return false, err
}

// takeOver takes over a profile.yaml with its settings. Its tenant stays as others have it:
// here the registry says which one the profile is of.
func (d *decider) takeOver(f *file, edits []YAMLEdit) (text, base []byte, err error) {
	from, err := f.nameBefore()
	text = f.text
	f.base = nil
	if err == nil && from != f.profile.Name {
		var names []YAMLEdit
		if names, err = renamed(text, from, f.profile.Name); err == nil {
			text, err = editYAML(text, names)
		}
	}
	if err != nil {
		return nil, nil, unreadable(d.full(f), err)
	}
	return d.edited(f, text, nil, edits)
}

// relink has a profile.yaml name its profile and tenant as they are called now; what
// is remembered of it is what sp itself has written there.
func (d *decider) relink(f *file, old []byte, edits []YAMLEdit) (text, base []byte, err error) {
	from, err := f.nameBefore()
	f.base = old
	if err == nil {
		text, err = linked(f.text, f.profile, from)
	}
	if err == nil {
		base, err = linked(old, f.profile, from)
	}
	if err != nil {
		return nil, nil, unreadable(d.full(f), err)
	}
	return d.edited(f, text, base, edits)
}

// edited is a profile.yaml with what was asked to be set in it.
func (d *decider) edited(f *file, text, base []byte, edits []YAMLEdit) (_, _ []byte, err error) {
	if text, err = editYAML(text, edits); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", d.full(f), err)
	}
	if set, err := editYAML(base, edits); err == nil { // else it has no place in what sp has written
		base = set
	}
	return text, base, nil
}

// unplaced are the settings that a command was stopped before it had written. No row of the
// registry has them.
func (f *file) unplaced() ([]YAMLEdit, error) {
	if !f.isStopped() || f.was == nil {
		return nil, nil
	}
	now, err := parse(f.base)
	if err != nil {
		return nil, err
	}
	before, err := parse(f.was)
	if err != nil || now == nil {
		return nil, err
	}
	return slices.DeleteFunc(settings(now, before, nil), func(e YAMLEdit) bool {
		return slices.Contains([]string{"name", "display_name", "cloud.tenant_id"}, strings.Join(e.Path, ".")) // which the registry has
	}), nil
}

// settings are the values in a mapping that are not in another.
func settings(now, before *yaml.Node, path []string) (edits []YAMLEdit) {
	if now.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i < len(now.Content); i += 2 {
		name, value := now.Content[i].Value, now.Content[i+1]
		e := YAMLEdit{Path: append(slices.Clip(path), name)}
		var typed bool
		switch value.ShortTag() {
		case "!!map":
			edits = append(edits, settings(value, before, e.Path)...)
		case "!!str":
			e.Value, typed = value.Value, true
		case "!!int":
			var n int
			typed = value.Decode(&n) == nil
			e.Value = n
		case "!!bool":
			e.Value, typed = value.Value == "true", true
		}
		if typed && !e.holds(before, value) {
			edits = append(edits, e)
		}
	}
	return edits
}

// profileBase is what sp has written in a profile.yaml: in one that somebody else made,
// no more than its tenant. Where a command was stopped, it is what sp wrote before.
func (d *decider) profileBase(f *file) ([]byte, error) {
	has, err := TenantOf(f.text)
	if err != nil {
		return nil, err
	}
	if before, moved := d.due.Relinked[f.profile.Name]; f.known == nil && has != nil && *has != f.profile.Tenant && !(moved && *has == before) {
		return nil, nil // somebody means another tenant
	}
	if k := f.known; k == nil || len(f.base) == 0 || k.Previous == k.Current {
		var edits []YAMLEdit
		if has != nil {
			edits = append(edits, YAMLEdit{Path: []string{"cloud", "tenant_id"}, Value: string(*has)})
		}
		return editYAML(nil, edits)
	}
	if f.was == nil || f.isStopped() {
		return f.firstBase(), nil
	}
	was, err := TenantOf(f.was)
	now, bad := TenantOf(f.base)
	if equal(has, was) && !equal(was, now) { // another program put it back
		return f.was, err
	}
	return f.base, errors.Join(err, bad)
}

// firstBase is the older of what sp has written.
func (f *file) firstBase() []byte {
	if f.was != nil {
		return f.was
	}
	return f.base
}

// nameBefore is the name that a profile.yaml goes by: where a command was stopped when it
// had moved the directory, one that the profile has no more.
func (f *file) nameBefore() (string, error) {
	if !f.isStopped() || len(f.was) == 0 {
		return f.from, nil
	}
	top, err := parse(f.was)
	if err != nil || top == nil {
		return f.from, err
	}
	name, err := member(top, "name")
	if err != nil || name == nil || name.Kind != yaml.ScalarNode {
		return f.from, err
	}
	return name.Value, nil
}

// linksElsewhere tells whether somebody made a profile.yaml name another tenant than
// the profile's, which base did not.
func linksElsewhere(text, base []byte, tenant registry.TenantID) (bool, error) {
	has, err := TenantOf(text)
	if err != nil || equal(has, &tenant) {
		return false, err
	}
	was, err := TenantOf(base)
	return !equal(has, was), err
}

// linked returns the text of a profile.yaml that names this tenant and, if it called
// itself by the profile's old name, the new one.
func linked(text []byte, p registry.Profile, from string) ([]byte, error) {
	edits := []YAMLEdit{{Path: []string{"cloud", "tenant_id"}, Value: string(p.Tenant)}}
	if from != p.Name {
		more, err := renamed(text, from, p.Name)
		if err != nil {
			return nil, err
		}
		edits = append(edits, more...)
	}
	return editYAML(text, edits)
}

// renamed are the edits that give a profile.yaml that calls itself by the profile's old
// name the new one.
func renamed(text []byte, from, to string) (edits []YAMLEdit, err error) {
	top, err := parse(text)
	if err != nil || top == nil {
		return nil, err
	}
	for _, names := range [][3]string{{"name", from, to}, {"display_name", displayName(from), displayName(to)}} {
		value, err := member(top, names[0])
		if err != nil {
			return nil, err
		}
		if value != nil && value.Kind == yaml.ScalarNode && value.Value == names[1] {
			edits = append(edits, YAMLEdit{Path: []string{names[0]}, Value: names[2]})
		}
	}
	return edits, nil
}

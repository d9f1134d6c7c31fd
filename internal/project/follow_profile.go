package project

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sp-registry/sp/internal/registry"
)

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
	if !s.there {
		t, err := f.view.Tenant(ctx, p.Tenant)
		if err != nil {
			return err
		}
		text := f.o.Configurations[p.Name]
		if text == nil {
			text = ProfileYAML(p.Name, t)
		}
		return f.edited(s, text, text, f.o.Edits[p.Name])
	}
	base, err := f.profileBase(s, p)
	if err != nil {
		return unreadable(f.dir.Full(s.at), err)
	}
	edits, err := s.unplaced()
	if err != nil {
		return unreadable(f.dir.Full(s.at), err)
	}
	edits = append(edits, f.o.Edits[p.Name]...)
	foreign, err := f.isOfAnotherMachine(ctx, s, p)
	if err != nil {
		return unreadable(f.dir.Full(s.at), err)
	}
	if foreign && !f.o.Force {
		return f.shared(s, p, from, edits)
	}
	elsewhere, err := linksElsewhere(s.text, base, p.Tenant)
	switch {
	case err != nil:
		return unreadable(f.dir.Full(s.at), err)
	case elsewhere && !f.o.Force:
		err := fmt.Errorf("%s: it does not name tenant %s, to which the profile belongs (mend it, or sp export --force): %w",
			f.dir.Full(s.at), p.Tenant, registry.ErrConflict)
		return f.conflict(s, err, f.concerns(p.Name))
	}
	return f.relink(s, base, p, from, edits)
}

// isOfAnotherMachine tells whether a profile.yaml names a tenant that sp did not write there
// and this registry does not know. A local one is: each machine has its own. Another is
// where sp never named one.
func (f *follower) isOfAnotherMachine(ctx context.Context, s standingFile, p registry.Profile) (bool, error) {
	has, err := tenantOf(s.text)
	if err != nil || has == nil || *has == p.Tenant {
		return false, err
	}
	base, err := tenantOf(s.base)
	was, bad := tenantOf(s.was)
	if err := errors.Join(err, bad); err != nil {
		return false, err
	}
	before, moved := f.due.Relinked[p.Name]
	switch {
	case equal(has, base), equal(has, was), moved && *has == before:
		return false, nil
	case base != nil && !registry.IsLocalID(*has):
		return false, nil
	}
	_, err = f.view.Tenant(ctx, *has)
	if errors.Is(err, registry.ErrNotFound) {
		return true, nil
	}
	return false, err
}

// shared takes over a profile.yaml with its settings. Its tenant stays as others have it:
// here the registry says which one the profile is of.
func (f *follower) shared(s standingFile, p registry.Profile, from string, edits []YAMLEdit) error {
	from, err := s.nameBefore(from)
	if err != nil {
		return unreadable(f.dir.Full(s.at), err)
	}
	text := s.text
	s.base = nil
	if from != p.Name {
		names, err := renamed(text, from, p.Name)
		if err == nil {
			text, err = EditYAML(text, names)
		}
		if err != nil {
			return unreadable(f.dir.Full(s.at), err)
		}
	}
	return f.edited(s, text, nil, edits)
}

// relink has a profile.yaml name its profile and tenant as they are called now; what
// is remembered of it is what sp itself has written there.
func (f *follower) relink(s standingFile, base []byte, p registry.Profile, from string, edits []YAMLEdit) error {
	from, err := s.nameBefore(from)
	s.base = base
	var text []byte
	if err == nil {
		text, err = linked(s.text, p, from)
	}
	if err == nil {
		base, err = linked(base, p, from)
	}
	if err != nil {
		return unreadable(f.dir.Full(s.at), err)
	}
	return f.edited(s, text, base, edits)
}

// edited is what becomes of a profile.yaml with what was asked to be set in it.
func (f *follower) edited(s standingFile, text, base []byte, edits []YAMLEdit) error {
	text, err := EditYAML(text, edits)
	if err != nil {
		return fmt.Errorf("%s: %w", f.dir.Full(s.at), err)
	}
	if set, err := EditYAML(base, edits); err == nil { // else it has no place in what sp has written
		base = set
	}
	f.become(s, text, base, true)
	return nil
}

// unplaced are the settings that a command was stopped before it had written. No row of the
// registry has them.
func (s standingFile) unplaced() ([]YAMLEdit, error) {
	if !s.isStopped() || s.was == nil {
		return nil, nil
	}
	now, err := parse(s.base)
	if err != nil {
		return nil, err
	}
	before, err := parse(s.was)
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
func (f *follower) profileBase(s standingFile, p registry.Profile) ([]byte, error) {
	has, err := tenantOf(s.text)
	if err != nil {
		return nil, err
	}
	if before, moved := f.due.Relinked[p.Name]; s.known == nil && has != nil && *has != p.Tenant && !(moved && *has == before) {
		return nil, nil // somebody means another tenant
	}
	if k := s.known; k == nil || len(s.base) == 0 || k.Previous == k.Current {
		var edits []YAMLEdit
		if has != nil {
			edits = append(edits, YAMLEdit{Path: []string{"cloud", "tenant_id"}, Value: string(*has)})
		}
		return EditYAML(nil, edits)
	}
	if s.was == nil || s.isStopped() {
		return s.firstBase(), nil
	}
	was, err := tenantOf(s.was)
	now, bad := tenantOf(s.base)
	if equal(has, was) && !equal(was, now) { // another program put it back
		return s.was, err
	}
	return s.base, errors.Join(err, bad)
}

// firstBase is the older of what sp has written.
func (s standingFile) firstBase() []byte {
	if s.was != nil {
		return s.was
	}
	return s.base
}

// nameBefore is the name that a profile.yaml goes by: where a command was stopped when it
// had moved the directory, one that the profile has no more.
func (s standingFile) nameBefore(from string) (string, error) {
	if !s.isStopped() || len(s.was) == 0 {
		return from, nil
	}
	top, err := parse(s.was)
	if err != nil || top == nil {
		return from, err
	}
	name, err := member(top, "name")
	if err != nil || name == nil || name.Kind != yaml.ScalarNode {
		return from, err
	}
	return name.Value, nil
}

// linksElsewhere tells whether somebody made a profile.yaml name another tenant than
// the profile's, which base did not.
func linksElsewhere(text, base []byte, tenant registry.TenantID) (bool, error) {
	has, err := tenantOf(text)
	if err != nil || equal(has, &tenant) {
		return false, err
	}
	was, err := tenantOf(base)
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
	return EditYAML(text, edits)
}

// renamed are the edits that give a profile.yaml that calls itself by the profile's old
// name the new one.
func renamed(text []byte, from, to string) (edits []YAMLEdit, err error) {
	top, err := parse(text)
	if err != nil || top == nil {
		return nil, err
	}
	for _, names := range [][3]string{{"name", from, to}, {"display_name", DisplayName(from), DisplayName(to)}} {
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

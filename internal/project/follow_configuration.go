package project

import (
	"context"
	"fmt"

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
	var text []byte
	switch {
	case s.there:
		text, err = f.linked(s, p, from)
	case names(s.base(), p.Tenant): // not what is left of another profile of this name
		text = s.base()
	default:
		var t registry.Tenant
		t, err = f.view.Tenant(ctx, p.Tenant)
		if text = f.o.Configurations[p.Name]; text == nil {
			text = ProfileYAML(p.Name, t)
		}
	}
	if edits := f.o.Edits[p.Name]; err == nil && len(edits) > 0 {
		text, err = EditYAML(text, edits)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.dir.Full(s.at), err)
	}
	f.become(s, text, string(text), true)
	return nil
}

// names tells whether a profile.yaml names this tenant.
func names(text []byte, tenant registry.TenantID) bool {
	has, err := tenantOf(text)
	return err == nil && has != nil && *has == tenant
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
		if before, ok := f.due.Relinked[p.Name]; ok && was == nil {
			was = &before
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

package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// checkSelection follows what is selected, the default and every session to where
// they point. Only another hand can have made them point nowhere.
func (c *checkup) checkSelection(ctx context.Context) []diagnosis {
	var findings bounded
	err := c.read(ctx, func(_ project.Dir, view *registry.View) error {
		s, err := view.Selection(ctx)
		if err != nil {
			return err
		}
		if s.Tenant != nil {
			if err := c.lookUp(&findings, tenantIn(ctx, view, *s.Tenant), "the selected tenant %s is not there", *s.Tenant, "sp tenant select ID"); err != nil {
				return err
			}
		}
		if s.Previous != nil {
			if err := c.lookUp(&findings, tenantIn(ctx, view, *s.Previous), "the tenant selected before, %s, is not there", *s.Previous, "sp tenant select another one"); err != nil {
				return err
			}
		}
		if s.Deleted != nil {
			findings.add(inform("the selected tenant %s was deleted; nothing is resolved until another is selected", *s.Deleted))
		}
		if s.DefaultProfile != nil {
			if err := c.lookUp(&findings, profileIn(ctx, view, *s.DefaultProfile), "the default profile %s is not there", *s.DefaultProfile, "sp profile default NAME"); err != nil {
				return err
			}
		}
		for session, err := range view.Sessions(ctx, registry.Page{}) {
			if err != nil {
				return err
			}
			if err := c.checkSession(ctx, &findings, view, session); err != nil {
				return err
			}
		}
		return nil
	})
	return troubled(orFine(findings.all(), "what is selected is there"), err)
}

func tenantIn(ctx context.Context, view *registry.View, id registry.TenantID) error {
	_, err := view.Tenant(ctx, id)
	return err
}

func profileIn(ctx context.Context, view *registry.View, name string) error {
	_, err := view.Profile(ctx, name)
	return err
}

// lookUp adds a diagnosis where looking found nothing; another error it returns.
func (c *checkup) lookUp(findings *bounded, err error, format string, what any, remedy string) error {
	if !errors.Is(err, registry.ErrNotFound) {
		return err
	}
	findings.add(wrong(format, what).remedy("%s", remedy))
	return nil
}

func (c *checkup) checkSession(ctx context.Context, findings *bounded, view *registry.View, s registry.Session) error {
	if err := tenantIn(ctx, view, s.Tenant); err != nil {
		return c.lookUp(findings, err, "a session is of tenant %s, which is not there", s.Tenant, "sp session logout --all")
	}
	remedy := "sp session switch PROFILE, with one of that tenant"
	profile, err := view.Profile(ctx, s.Profile)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		findings.add(wrong("the session of tenant %s chose profile %s, which is not there", s.Tenant, s.Profile).remedy("%s", remedy))
		return nil
	case err == nil && profile.Tenant != s.Tenant:
		findings.add(wrong("the session of tenant %s chose profile %s, which belongs to tenant %s", s.Tenant, s.Profile, profile.Tenant).remedy("%s", remedy))
	}
	return err
}

// checkProfiles holds the registry's profiles against the tenants, and the profile.yaml
// files of the directory against the registry's profiles.
func (c *checkup) checkProfiles(ctx context.Context) []diagnosis {
	var findings bounded
	err := c.read(ctx, func(dir project.Dir, view *registry.View) error {
		for profile, err := range view.Profiles(ctx, nil, registry.Page{}) {
			if err != nil {
				return err
			}
			if err := tenantIn(ctx, view, profile.Tenant); errors.Is(err, registry.ErrNotFound) {
				findings.add(wrong("profile %s belongs to tenant %s, which is not there", profile.Name, profile.Tenant).
					remedy("sp profile edit %s --tenant ID, or sp profile delete %s", project.Quoted(profile.Name), project.Quoted(profile.Name)))
			} else if err != nil {
				return err
			}
		}
		files, err := dir.ProfileFiles()
		if err != nil {
			return err
		}
		for _, path := range files {
			if err := c.checkProfileFile(ctx, &findings, dir, view, path); err != nil {
				return err
			}
		}
		return nil
	})
	return troubled(orFine(findings.all(), "each belongs to a tenant that is there"), err)
}

// checkProfileFile holds one profile.yaml against the registry. What it names is only
// repeated if it is a tenant: it could be anything, a URL too.
func (c *checkup) checkProfileFile(ctx context.Context, findings *bounded, dir project.Dir, view *registry.View, path string) error {
	full := filepath.Join(dir.Path(), path)
	name, tenant, err := readProfile(dir, full)
	if err != nil {
		findings.add(warn("%s", failureOf(err).Message))
		return nil
	}
	id, named := "ID", "a tenant that is not there"
	if tenant != nil {
		err := tenantIn(ctx, view, *tenant)
		if err == nil {
			id, named = project.Quoted(string(*tenant)), "tenant "+string(*tenant)
		} else if !errors.Is(err, registry.ErrNotFound) {
			return err
		}
	}
	profile, err := view.Profile(ctx, name)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		findings.add(warn("%s: the registry has no profile %s", full, name).remedy("sp profile create %s --tenant %s", project.Quoted(name), id))
	case err != nil:
		return err
	case tenant != nil && id == "ID" && registry.IsLocalID(*tenant): // of another machine, from which the file came
	case tenant != nil && *tenant != profile.Tenant:
		findings.add(warn("%s: it names %s, the registry says %s; its path is refused in place of a name", full, named, profile.Tenant).
			remedy("sp profile edit %s --tenant %s, or mend the file", project.Quoted(name), id))
	}
	return nil
}

// checkSynced compares the last sync with the clock.
func (c *checkup) checkSynced(ctx context.Context) []diagnosis {
	var document registry.Document
	err := c.read(ctx, func(_ project.Dir, view *registry.View) error {
		state, err := view.State(ctx)
		document = state.Document
		return err
	})
	at, now := registry.FormatTime(document.SyncedAt), c.now()
	switch {
	case err != nil:
		return []diagnosis{trouble(err)}
	case document.SyncedAt.After(now):
		return []diagnosis{warn("%s is in the future: the registry would never count as stale", at).
			remedy("see that the clock is right; sp import of a newer tenants.json sets it")}
	case document.IsStale(now, defaultMaxAge):
		return []diagnosis{warn("%s, %s ago", at, howLong(now.Sub(document.SyncedAt))).
			remedy("sp import of a newer tenants.json")}
	}
	return []diagnosis{fine("%s", at)}
}

// howLong writes a duration as people count it.
func howLong(d time.Duration) string {
	if d < 48*time.Hour {
		return counted(int(d/time.Hour), "hour")
	}
	return counted(int(d/(24*time.Hour)), "day")
}

package doctor

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/sp-registry/sp/internal/registry"
)

// checkSelection follows what is selected, the default and every session to where
// they point. Only another hand can have made them point nowhere.
func (c *Checkup) checkSelection(ctx context.Context) []Diagnosis {
	var findings bounded
	err := c.read(ctx, func(view *registry.View) error {
		s, err := view.Selection(ctx)
		if err != nil {
			return err
		}
		if s.Tenant != nil {
			if err := findings.unless(tenantIn(ctx, view, *s.Tenant), wrong("the selected tenant %s is not there", *s.Tenant).remedy("%s", to("sp tenant select", "ID"))); err != nil {
				return err
			}
		}
		if s.Previous != nil {
			if err := findings.unless(tenantIn(ctx, view, *s.Previous), wrong("the tenant selected before, %s, is not there", *s.Previous).remedy("%s another one", to("sp tenant select"))); err != nil {
				return err
			}
		}
		if s.Deleted != nil {
			findings.add(inform("the selected tenant %s was deleted; nothing is resolved until another is selected", *s.Deleted))
		}
		if s.DefaultProfile != nil {
			if err := findings.unless(profileIn(ctx, view, *s.DefaultProfile), wrong("the default profile %s is not there", *s.DefaultProfile).remedy("%s", to("sp profile default", "NAME"))); err != nil {
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
	return c.troubled(orFine(findings.all(), "what is selected is there"), err)
}

func tenantIn(ctx context.Context, view *registry.View, id registry.TenantID) error {
	_, err := view.Tenant(ctx, id)
	return err
}

func profileIn(ctx context.Context, view *registry.View, name string) error {
	_, err := view.Profile(ctx, name)
	return err
}

// unless adds a diagnosis where looking found nothing; another error it returns.
func (b *bounded) unless(err error, f Diagnosis) error {
	if !errors.Is(err, registry.ErrNotFound) {
		return err
	}
	b.add(f)
	return nil
}

func (c *Checkup) checkSession(ctx context.Context, findings *bounded, view *registry.View, s registry.Session) error {
	if err := tenantIn(ctx, view, s.Tenant); err != nil {
		return findings.unless(err, wrong("a session is of tenant %s, which is not there", s.Tenant).remedy("%s", to("sp session logout", "--all")))
	}
	remedy := to("sp session switch", "PROFILE")
	profile, err := view.Profile(ctx, s.Profile)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		findings.add(wrong("the session of tenant %s chose profile %s, which is not there", s.Tenant, s.Profile).remedy("%s, with one of that tenant", remedy))
		return nil
	case err == nil && profile.Tenant != s.Tenant:
		findings.add(wrong("the session of tenant %s chose profile %s, which belongs to tenant %s", s.Tenant, s.Profile, profile.Tenant).remedy("%s, with one of that tenant", remedy))
	}
	return err
}

// checkProfiles holds the registry's profiles against the tenants, and the profile.yaml
// files of the directory against the registry's profiles.
func (c *Checkup) checkProfiles(ctx context.Context) []Diagnosis {
	var findings bounded
	err := c.read(ctx, func(view *registry.View) error {
		for profile, err := range view.Profiles(ctx, nil, registry.Page{}) {
			if err != nil {
				return err
			}
			if err := tenantIn(ctx, view, profile.Tenant); errors.Is(err, registry.ErrNotFound) {
				findings.add(wrong("profile %s belongs to tenant %s, which is not there", profile.Name, profile.Tenant).
					remedy("%s, or %s", to("sp profile edit", profile.Name, "--tenant", "ID"), to("sp profile delete", profile.Name)))
			} else if err != nil {
				return err
			}
		}
		files, err := c.dir.ProfileFiles()
		if err != nil {
			return err
		}
		for _, path := range files {
			if err := c.checkProfileFile(ctx, &findings, view, path); err != nil {
				return err
			}
		}
		return nil
	})
	return c.troubled(orFine(findings.all(), "each belongs to a tenant that is there"), err)
}

// checkProfileFile holds one profile.yaml against the registry. What it names is only
// repeated if it is a tenant: it could be anything, a URL too.
func (c *Checkup) checkProfileFile(ctx context.Context, findings *bounded, view *registry.View, path string) error {
	full := filepath.Join(c.dir.Path(), path)
	name, tenant, err := c.Request(c.dir).ReadProfile(full)
	if err != nil {
		message, _ := c.Explain(err)
		findings.add(warn("%s", message))
		return nil
	}
	id, named := "ID", "a tenant that is not there"
	if tenant != nil {
		err := tenantIn(ctx, view, *tenant)
		if err == nil {
			id, named = string(*tenant), "tenant "+string(*tenant)
		} else if !errors.Is(err, registry.ErrNotFound) {
			return err
		}
	}
	profile, err := view.Profile(ctx, name)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		findings.add(warn("%s: the registry has no profile %s", full, name).remedy("%s", to("sp profile create", name, "--tenant", id)))
	case err != nil:
		return err
	case tenant != nil && id == "ID" && registry.IsLocalID(*tenant): // of another machine, from which the file came
	case tenant != nil && *tenant != profile.Tenant:
		findings.add(warn("%s: it names %s, the registry says %s; its path is refused in place of a name", full, named, profile.Tenant).
			remedy("%s, or mend the file", to("sp profile edit", name, "--tenant", id)))
	}
	return nil
}

// checkSynced compares the last sync with the clock.
func (c *Checkup) checkSynced(ctx context.Context) []Diagnosis {
	var document registry.Document
	err := c.read(ctx, func(view *registry.View) error {
		state, err := view.State(ctx)
		document = state.Document
		return err
	})
	cloud, unknown := c.hasCloud(ctx, document)
	err = cmp.Or(err, unknown)
	at, now := registry.FormatTime(document.SyncedAt), c.Now()
	switch {
	case err != nil:
		return []Diagnosis{c.trouble(err)}
	case document.SyncedAt.After(now):
		return []Diagnosis{warn("%s is in the future: the registry would never count as stale", at).
			remedy("see that the clock is right; %s of a newer tenants.json sets it", to("sp import"))}
	case cloud && document.IsStale(now, c.MaxAge):
		return []Diagnosis{warn("%s, %s ago", at, howLong(now.Sub(document.SyncedAt))).
			remedy("%s of a newer tenants.json", to("sp import"))}
	}
	return []Diagnosis{fine("%s", at)}
}

// hasCloud tells whether there is something to sync with, where it matters: a cloud tenant.
func (c *Checkup) hasCloud(ctx context.Context, document registry.Document) (bool, error) {
	if !document.IsStale(c.Now(), c.MaxAge) {
		return false, nil
	}
	s, err := c.surveyed(ctx)
	return s.cloud, err
}

// howLong writes a duration as people count it.
func howLong(d time.Duration) string {
	if d < 48*time.Hour {
		return counted(int(d/time.Hour), "hour")
	}
	return counted(int(d/(24*time.Hour)), "day")
}

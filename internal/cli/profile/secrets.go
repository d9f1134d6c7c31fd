package profile

import (
	"context"
	"sort"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// Secrets is `sp secrets`.
func Secrets() *cli.Command {
	return &cli.Command{
		Name:     "secrets",
		Usage:    "set, list, get, unset and import the secrets of a profile",
		Commands: []*cli.Command{secretsSet(), secretsList(), secretsGet(), secretsUnset(), secretsImport()},
	}
}

// Whose a secret is.
const (
	ofProfile = "profile"
	ofTenant  = "tenant"
)

// secretRecord is a secret in JSON as secrets.json of a profile has it: the profile's own, or one of
// its tenant, which follows that.
type secretRecord struct {
	Name    string          `json:"name"`
	Of      string          `json:"of"`
	Profile task.ProfileRef `json:"profile"`
	Tenant  task.TenantRef  `json:"tenant"`
	value   secret.Secret
	isURL   bool
}

// secretsOf returns the secrets of a profile and those of its tenant, in order of name.
func secretsOf(ctx context.Context, view *registry.View, p registry.Profile) ([]secretRecord, error) {
	t, err := view.Tenant(ctx, p.Tenant)
	if err != nil {
		return nil, err
	}
	own, err := view.ProfileSecrets(ctx, p.Name)
	if err != nil {
		return nil, err
	}
	record := secretRecord{Of: ofProfile, Profile: task.ProfileRef{Name: p.Name}, Tenant: task.RefOf(t)}
	var all []secretRecord
	for _, s := range own {
		record.Name, record.value = s.Key, s.Value
		all = append(all, record)
	}
	record.Of = ofTenant
	for _, m := range registry.Members {
		if s := m.SecretOf(&t); s != nil && !s.Empty() {
			record.Name, record.value, record.isURL = m.Name, *s, m.URL
			all = append(all, record)
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all, nil
}

// where says whose the secret is.
func (s secretRecord) where() string {
	if s.Of == ofTenant {
		return "tenant " + string(s.Tenant.ID)
	}
	return "profile " + s.Profile.Name
}

// shown is the value, or what hides it.
func (s secretRecord) shown(how task.Showing) string {
	if s.isURL {
		return *how.URL(&s.value)
	}
	return *how.Token(&s.value)
}

// secretsInEffect returns the profile in effect, and its secrets.
func secretsInEffect(ctx context.Context, t *task.Task) (p registry.Profile, all []secretRecord, err error) {
	err = t.Read(ctx, func(dir project.Dir, view *registry.View) error {
		if p, err = t.ProfileInEffect(ctx, dir, view, nil); err != nil {
			return err
		}
		all, err = secretsOf(ctx, view, p)
		return err
	})
	return p, all, err
}

// profileToChange returns the profile in effect for a command that then changes it. Nothing is held
// while somebody types.
func profileToChange(ctx context.Context, t *task.Task) (p registry.Profile, err error) {
	err = t.Read(ctx, func(dir project.Dir, view *registry.View) error {
		p, err = t.ProfileInEffect(ctx, dir, view, nil)
		return err
	})
	return p, err
}

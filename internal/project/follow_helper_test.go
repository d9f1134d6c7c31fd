package project

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// office is a directory with its registry, whose small files follow.
type office struct {
	Dir
	t       *testing.T
	reg     *registry.Registry
	options FollowOptions
	stopped bool      // commands are stopped between the commit and the files
	found   Following // by the last change
}

// newOffice has two tenants, one of the cloud, with a profile each.
func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{Dir: mustMake(t, filepath.Join(tempDir(t), Name)), t: t}
	reg, err := registry.Create(t.Context(), o.Registry(), registry.Options{Now: midday, Wait: time.Second, Publish: o.publish})
	require.NoError(t, err)
	o.reg = reg
	t.Cleanup(func() { require.NoError(t, reg.Close()) })
	for _, id := range []registry.TenantID{"a", "b"} {
		o.must(func(ctx context.Context) error {
			_, err := reg.CreateTenant(ctx, registry.NewTenant{Tenant: registry.Tenant{
				ID: id, Name: string(id), Kind: registry.Local, DatabaseURL: secretOf("postgres://u:first@h/" + string(id)),
			}})
			return err
		})
	}
	o.create("p", "a")
	o.create("q", "b")
	return o
}

func midday() time.Time { return time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC) }

func secretOf(text string) *secret.Secret {
	s := secret.New(text)
	return &s
}

func (o *office) publish(ctx context.Context, view *registry.View) (registry.Publication, error) {
	options := o.options
	options.Now = midday()
	found, err := o.Follow(ctx, view, options)
	o.found = found
	if err != nil {
		return registry.Publication{}, err
	}
	var moves []exporter.Move
	for _, m := range found.Moves {
		moves = append(moves, exporter.Move{From: o.Full(m.From), To: o.Full(m.To)})
	}
	var changes []exporter.Change
	for _, c := range found.Changes {
		changes = append(changes, exporter.Change{Path: o.Full(c.Path), Text: c.Text, Expected: c.Expected, Shared: c.Shared})
	}
	staged, err := exporter.Stage(o.path, moves, changes)
	if err != nil {
		return registry.Publication{}, err
	}
	place := staged.Place
	if o.stopped {
		place = func() error { return nil }
	}
	return registry.Publication{Following: found.Files, Forgotten: found.Forgotten, Place: place, Discard: staged.Discard}, nil
}

// act is one change.
type act func(context.Context) error

func (o *office) must(fn act) {
	o.t.Helper()
	require.NoError(o.t, fn(o.t.Context()))
}

// stop makes a change that is stopped when it is committed. What it staged stays, or is
// gone as after a power cut.
func (o *office) stop(fn act, cut bool) {
	o.t.Helper()
	o.stopped = true
	o.must(fn)
	o.stopped = false
	waiting, err := filepath.Glob(o.Full(".file.*.tmp"))
	require.NoError(o.t, err)
	for _, path := range waiting {
		if cut {
			require.NoError(o.t, os.Remove(path))
		}
	}
}

// settle is the next change, of nothing.
func (o *office) settle() {
	o.t.Helper()
	o.must(o.reg.Publish)
}

func (o *office) create(name string, tenant registry.TenantID) {
	o.t.Helper()
	o.must(func(ctx context.Context) error {
		_, err := o.reg.CreateProfile(ctx, registry.NewProfile{Name: name, Tenant: &tenant, Secrets: []registry.ProfileSecret{
			{Key: "jwt_secret", Value: secret.New("jwt of " + name)},
		}})
		return err
	})
}

func (o *office) url(tenant registry.TenantID, url string) act {
	return func(ctx context.Context) error {
		edit := registry.TenantEdit{ID: tenant, Set: map[string]*secret.Secret{"database_url": secretOf(url)}}
		_, _, err := o.reg.UpdateTenant(ctx, edit)
		return err
	}
}

func (o *office) noURL(tenant registry.TenantID) act {
	return func(ctx context.Context) error {
		edit := registry.TenantEdit{ID: tenant, Set: map[string]*secret.Secret{"database_url": nil}}
		_, _, err := o.reg.UpdateTenant(ctx, edit)
		return err
	}
}

func (o *office) token(tenant registry.TenantID, token string) act {
	return func(ctx context.Context) error {
		edit := registry.TenantEdit{ID: tenant, Set: map[string]*secret.Secret{"sync_token": secretOf(token)}}
		_, _, err := o.reg.UpdateTenant(ctx, edit)
		return err
	}
}

func (o *office) setSecret(profile, key, value string) act {
	return func(ctx context.Context) error {
		e := registry.SecretEdit{Profile: profile}
		if value == "" {
			e.Unset = []string{key}
		} else {
			e.Put = []registry.ProfileSecret{{Key: key, Value: secret.New(value)}}
		}
		_, err := o.reg.EditSecrets(ctx, e)
		return err
	}
}

func (o *office) rename(from, to string) act {
	return func(ctx context.Context) error {
		_, err := o.reg.UpdateProfile(ctx, registry.ProfileEdit{Name: from, NewName: &to})
		return err
	}
}

func (o *office) relink(name string, tenant registry.TenantID) act {
	return func(ctx context.Context) error {
		_, err := o.reg.UpdateProfile(ctx, registry.ProfileEdit{Name: name, Tenant: &tenant})
		return err
	}
}

func (o *office) delete(name string) act {
	return func(ctx context.Context) error {
		_, err := o.reg.DeleteProfile(ctx, name, false)
		return err
	}
}

func (o *office) use(name string) act {
	return func(ctx context.Context) error {
		_, err := o.reg.UseProfile(ctx, name)
		return err
	}
}

// logIn gives a profile's tenant a session that authenticates.
func (o *office) logIn(name string) {
	o.t.Helper()
	o.must(func(ctx context.Context) error {
		_, err := o.reg.Authenticate(ctx, registry.Login{Profile: name, Authentication: registry.Authentication{
			Token: secret.New("token of " + name), UserEmail: "a@example.invalid", UserID: "u", UserType: "admin",
			SessionID: "s", ContextID: "c", CreatedAt: midday(), ExpiresAt: midday().Add(time.Hour), LastUsed: midday(),
		}})
		return err
	})
}

func (o *office) undo(ctx context.Context) error {
	_, err := o.reg.Undo(ctx, registry.Undo{})
	return err
}

// secretsIn are the members of a profile's secrets.json.
func (o *office) secretsIn(name string) map[string]string {
	o.t.Helper()
	members, err := ReadSecrets([]byte(mustRead(o.t, o.Full(SecretsPath(name)))))
	require.NoError(o.t, err)
	all := map[string]string{}
	for _, m := range members {
		all[m.Name] = m.Value.Reveal()
	}
	return all
}

func (o *office) configuration(name string) string {
	o.t.Helper()
	return mustRead(o.t, o.Full(ProfilePath(name)))
}

// write puts in a file what another program would.
func (o *office) write(inside, text string) {
	o.t.Helper()
	mustWrite(o.t, o.Full(inside), text)
}

// files lists the small files and what waits for its place.
func (o *office) files() []string {
	o.t.Helper()
	var all []string
	require.NoError(o.t, o.eachFile([]string{".*.tmp", "sessions/*", "profiles/*/*"}, func(path string, _ os.FileInfo) { all = append(all, path) }))
	return all
}

func (o *office) remembered() []registry.FollowingFile {
	o.t.Helper()
	view, err := o.reg.View(o.t.Context())
	require.NoError(o.t, err)
	defer view.Close()
	all, err := view.FollowingFiles(o.t.Context())
	require.NoError(o.t, err)
	return all
}

package follow

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// office is a directory with its registry, whose small files follow.
type office struct {
	project.Dir
	t       *testing.T
	store   *registry.Registry
	reg     *registry.Registry // it, or in a change bound to that
	kinds   []kind
	options Options
	stopped bool     // commands are stopped between the commit and the files
	found   Decision // by the last change
}

// newOffice has two tenants, one of the cloud, with a profile each.
func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{Dir: mustMake(t, filepath.Join(tempDir(t), project.Name)), t: t, kinds: kinds}
	reg, _, err := registry.Create(t.Context(), o.Registry(), registry.Options{Now: midday, Wait: time.Second})
	require.NoError(t, err)
	o.store, o.reg = reg, reg
	t.Cleanup(func() { require.NoError(t, reg.Close()) })
	for _, id := range []registry.TenantID{"a", "b"} {
		o.must(func(ctx context.Context) error {
			_, err := o.reg.CreateTenant(ctx, registry.NewTenant{Tenant: registry.Tenant{
				ID: id, Name: string(id), Kind: registry.Local, DatabaseURL: secretOf("postgres://u:first@h/" + string(id)),
			}})
			return err
		})
	}
	o.create("p", "a")
	o.create("q", "b")
	return o
}

// directory is what Decide sees of it.
func (o *office) directory() Directory {
	return Directory{Path: o.Path(), Read: o.ReadFile, Has: o.Has}
}

func midday() time.Time { return time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC) }

func secretOf(text string) *secret.Secret {
	s := secret.New(text)
	return &s
}

// change makes a change, and gives the files their places.
func (o *office) change(fn act) error {
	ctx := o.t.Context()
	tx, err := o.store.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { require.NoError(o.t, tx.Close()) }()
	err = tx.Do(ctx, func(bound *registry.Registry) error {
		o.reg = bound
		defer func() { o.reg = o.store }()
		return fn(ctx)
	})
	if err != nil {
		return err
	}
	options := o.options
	options.Now = midday()
	if o.found, err = decide(ctx, o.kinds, o.directory(), tx.View(), options); err != nil {
		return err
	}
	if err := tx.Remember(ctx, registry.Followed{Following: o.found.Files, Forgotten: o.found.Forgotten}); err != nil {
		return err
	}
	if _, err = tx.Commit(); err == nil && !o.stopped {
		o.place()
	}
	return err
}

// place does what was decided.
func (o *office) place() {
	o.t.Helper()
	for _, m := range o.found.Moves {
		require.NoError(o.t, os.Rename(o.Full(m.From), o.Full(m.To)))
	}
	for _, c := range o.found.Changes {
		path := o.Full(c.Path)
		for _, m := range o.found.Moves {
			if inside, ok := strings.CutPrefix(c.Path, m.From+"/"); ok {
				path = filepath.Join(o.Full(m.To), inside)
			}
		}
		if c.Text == nil {
			_ = os.Remove(path)               // it may be gone
			_ = os.Remove(filepath.Dir(path)) // which fails unless it is empty
			continue
		}
		mode := os.FileMode(0o600)
		if c.Shared {
			mode = 0o644
		}
		require.NoError(o.t, os.MkdirAll(filepath.Dir(path), 0o700))
		_ = os.Remove(path)
		require.NoError(o.t, os.WriteFile(path, c.Text, mode))
	}
}

// act is one change.
type act func(context.Context) error

func (o *office) must(fn act) {
	o.t.Helper()
	require.NoError(o.t, o.change(fn))
}

// nothing changes nothing; the files follow all the same.
func nothing(context.Context) error { return nil }

// stop makes a change that is stopped when it is committed.
func (o *office) stop(fn act, _ bool) {
	o.t.Helper()
	o.stopped = true
	o.must(fn)
	o.stopped = false
}

// settle is the next change, of nothing.
func (o *office) settle() {
	o.t.Helper()
	o.must(nothing)
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
	members, err := readSecrets([]byte(mustRead(o.t, o.Full(SecretsPath(name)))))
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
	for _, place := range []string{".*.tmp", "sessions/*", "profiles/*/*"} {
		found, err := fs.Glob(os.DirFS(o.Path()), place)
		require.NoError(o.t, err)
		for _, path := range found {
			if info, err := os.Lstat(o.Full(path)); err == nil && info.Mode().IsRegular() {
				all = append(all, path)
			}
		}
	}
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

// tempDir is t.TempDir by its real path.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	return dir
}

func mustMake(t *testing.T, path string) project.Dir {
	t.Helper()
	d, _, err := project.Make(path)
	require.NoError(t, err)
	return d
}

func mustMkdir(t *testing.T, path string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(path, 0o755))
	return path
}

func mustWrite(t *testing.T, path, text string) string {
	t.Helper()
	mustMkdir(t, filepath.Dir(path))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

func mustRead(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

func mustSymlink(t *testing.T, target, link string) {
	t.Helper()
	require.NoError(t, os.Symlink(target, link))
}

func modeOf(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	require.NoError(t, err)
	return info.Mode().Perm()
}

// giveAway makes path another user's.
func giveAway(t *testing.T, path string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	require.NoError(t, os.Lchown(path, 65534, 65534))
}

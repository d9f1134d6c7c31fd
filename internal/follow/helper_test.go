package follow

import (
	"context"
	"errors"
	"fmt"
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
	reg     *registry.Registry
	kinds   []kind
	options Options
	stopped bool     // commands are stopped between the commit and the files
	found   Decision // by the last change
}

// newOffice has two tenants, one of the cloud, with a profile each.
func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{Dir: mustMake(t, filepath.Join(tempDir(t), project.Name)), t: t, kinds: kinds}
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

// directory is what Decide sees of it.
func (o *office) directory() Directory {
	return Directory{Path: o.Path(), Read: o.ReadFile, Has: o.Has}
}

func midday() time.Time { return time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC) }

func secretOf(text string) *secret.Secret {
	s := secret.New(text)
	return &s
}

func (o *office) publish(ctx context.Context, view *registry.View) (registry.Publication, error) {
	options := o.options
	options.Now = midday()
	found, err := decide(ctx, o.kinds, o.directory(), view, options)
	o.found = found
	if err != nil {
		return registry.Publication{}, err
	}
	staged, err := o.stage(found)
	if err != nil {
		return registry.Publication{}, err
	}
	place := func() error { return o.place(found, staged) }
	if o.stopped {
		place = func() error { return nil }
	}
	return registry.Publication{Following: found.Files, Forgotten: found.Forgotten, Place: place, Discard: o.sweep}, nil
}

// stage writes the texts into the directory, where they wait, and sweeps what a command left
// there that was stopped.
func (o *office) stage(found Decision) (staged []string, err error) {
	if err := o.sweep(); err != nil {
		return nil, err
	}
	for i, c := range found.Changes {
		mode := os.FileMode(0o600)
		if c.Shared {
			mode = 0o644
		}
		staged = append(staged, o.Full(fmt.Sprintf(".file.%d.tmp", i)))
		if c.Text != nil {
			err = errors.Join(err, os.WriteFile(staged[i], c.Text, mode))
		}
	}
	return staged, err
}

func (o *office) sweep() error {
	waiting, err := filepath.Glob(o.Full(".file.*.tmp"))
	for _, path := range waiting {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// place moves the directories, and puts in place or removes what was decided on.
func (o *office) place(found Decision, staged []string) (err error) {
	for _, m := range found.Moves {
		err = errors.Join(err, os.Rename(o.Full(m.From), o.Full(m.To)))
	}
	for i, c := range found.Changes {
		path := c.Path
		for _, m := range found.Moves {
			if inside, ok := strings.CutPrefix(path, m.From+"/"); ok {
				path = m.To + "/" + inside
				break
			}
		}
		full := o.Full(path)
		there := ""
		if text, bad := os.ReadFile(full); bad == nil {
			there = hashOf(text)
		}
		if there != c.Expected {
			err = errors.Join(err, fmt.Errorf("%s: not as it was when that was decided", path))
		}
		if c.Text != nil {
			err = errors.Join(err, os.MkdirAll(filepath.Dir(full), 0o700), os.Rename(staged[i], full))
			continue
		}
		if gone := os.Remove(full); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		_ = os.Remove(filepath.Dir(full)) // if nothing else is in it
	}
	return err
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
		edit := registry.TenantEdit{ID: tenant}
		edit.DatabaseURL.Set = secretOf(url)
		_, _, err := o.reg.UpdateTenant(ctx, edit)
		return err
	}
}

func (o *office) noURL(tenant registry.TenantID) act {
	return func(ctx context.Context) error {
		edit := registry.TenantEdit{ID: tenant}
		edit.DatabaseURL.Clear = true
		_, _, err := o.reg.UpdateTenant(ctx, edit)
		return err
	}
}

func (o *office) token(tenant registry.TenantID, token string) act {
	return func(ctx context.Context) error {
		edit := registry.TenantEdit{ID: tenant}
		edit.SyncToken.Set = secretOf(token)
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
		_, err := o.reg.DeleteProfile(ctx, name)
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

package workspace_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/sp-registry/sp/internal/workspace"
)

// space is a project's directory that is changed as commands change it.
type space struct {
	workspace.Workspace
	t *testing.T
}

// newSpace has two tenants, the first with a profile.
func newSpace(t *testing.T) *space {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	made, _, err := project.Make(filepath.Join(dir, project.Name))
	require.NoError(t, err)
	s := &space{t: t, Workspace: workspace.Workspace{
		Dir: made, Git: func() project.Git { return project.Git{} },
		Registry: registry.Options{
			Now:  func() time.Time { return time.Date(2026, 2, 1, 10, 0, 0, 0, time.UTC) },
			Wait: 30 * time.Second, Command: "sp test", Trust: db.Trust{Named: true},
		},
	}}
	done, err := s.Change(t.Context(), workspace.Change{Tenants: true, Create: true, Wanted: true, Commit: create("a")})
	require.NoError(t, err)
	require.Equal(t, workspace.Done{Made: true}, done)
	s.must(workspace.Change{Tenants: true, Commit: create("b")})
	s.must(workspace.Change{Commit: profile("p", "a")})
	return s
}

func (s *space) must(c workspace.Change) workspace.Done {
	s.t.Helper()
	done, err := s.Change(s.t.Context(), c)
	require.NoError(s.t, err)
	return done
}

// nothing is a change of nothing of tenants.
var nothing = workspace.Change{Tenants: true, Commit: export}

func (s *space) write(path, text string) string {
	s.t.Helper()
	path = s.Dir.Full(path)
	require.NoError(s.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func (s *space) tenant(id registry.TenantID) (t registry.Tenant, err error) {
	err = s.Read(s.t.Context(), func(view *registry.View) (err error) {
		t, err = view.Tenant(s.t.Context(), id)
		return err
	})
	return t, err
}

// requireSettled looks whether the files show the registry, and nothing waits.
func (s *space) requireSettled() {
	s.t.Helper()
	require.NoError(s.t, s.Read(s.t.Context(), func(view *registry.View) error {
		settled, err := s.IsSettled(s.t.Context(), view, false)
		require.True(s.t, settled)
		return err
	}))
	for _, pattern := range []string{".*.tmp", "*/.*.tmp", "*/*/.*.tmp"} {
		left, err := filepath.Glob(s.Dir.Full(pattern))
		require.NoError(s.t, err)
		require.Empty(s.t, left)
	}
}

// edited is tenants.json as another program wrote it, which gave b a region and added c.
func (s *space) edited() string {
	s.t.Helper()
	text := mustRead(s.t, s.Dir.Tenants())
	text = strings.Replace(text, `"id": "b",`, `"id": "b", "region": "iad",`, 1)
	return strings.Replace(text, `"tenants": [`, `"tenants": [{"id": "c", "name": "theirs"},`, 1)
}

func (s *space) requireMerged(done workspace.Done) {
	s.t.Helper()
	require.NotNil(s.t, done.Merged)
	require.Equal(s.t, [2]int{1, 1}, [2]int{done.Merged.Added, done.Merged.Updated})
	b, err := s.tenant("b")
	require.NoError(s.t, err)
	require.Equal(s.t, "iad", *b.Region)
	require.Contains(s.t, mustRead(s.t, s.Dir.Tenants()), `"id": "c"`)
	s.requireSettled()
}

// TestAMergeLeavesNoForeignFile, also where the command then changes nothing, and where
// nothing of the file was to be taken.
func TestAMergeLeavesNoForeignFile(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.write("tenants.json", s.edited())
	s.requireMerged(s.must(nothing))

	before := mustRead(t, s.Dir.Tenants())
	s.write("tenants.json", strings.ReplaceAll(before, canary, "***"))
	done := s.must(nothing)
	require.NotNil(t, done.Merged)
	require.Equal(t, before, mustRead(t, s.Dir.Tenants()))
	s.requireSettled()
}

// TestWhatNeverStoodInTheFileIsNotRemoved by a program that wrote the file, even long after a
// command was stopped between its commit and the place of tenants.json.
func TestWhatNeverStoodInTheFileIsNotRemoved(t *testing.T) {
	t.Parallel()
	for _, settle := range []registry.Side{registry.Nobody, registry.Theirs} {
		s := newSpace(t)
		theirs := s.edited()
		s.must(workspace.Change{Tenants: true, Commit: create("new")})
		s.write(".tenants.json.1.tmp", mustRead(t, s.Dir.Tenants()))
		path := s.write("tenants.json", theirs)
		require.NoError(t, os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)))
		done := s.must(workspace.Change{Tenants: true, Settle: settle, Commit: export})
		require.Zero(t, done.Merged.Removed)
		_, err := s.tenant("new")
		require.NoError(t, err)
		require.Contains(t, mustRead(t, s.Dir.Tenants()), `"id": "new"`)
		s.requireMerged(done)
	}
}

// TestTheIndexShowsAMergeOfTenants that removed the selected one.
func TestTheIndexShowsAMergeOfTenants(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	for _, commit := range []func(context.Context, *registry.Registry) error{
		func(ctx context.Context, r *registry.Registry) error { _, err := r.UseProfile(ctx, "p"); return err },
		func(ctx context.Context, r *registry.Registry) error { _, err := r.SelectTenant(ctx, "b"); return err },
		export, export, // by which the index is found in place
	} {
		s.must(workspace.Change{Commit: commit})
	}
	require.Contains(t, mustRead(t, s.Dir.Full("sessions/index.json")), `"active_key": "tenant_b"`)
	text := mustRead(t, s.Dir.Tenants())
	from := strings.LastIndex(text, ",\n    {")
	s.write("tenants.json", text[:from]+text[strings.LastIndex(text, "\n  ],"):])
	done := s.must(workspace.Change{Tenants: true, Settle: registry.Theirs, Commit: export})
	require.Equal(t, 1, done.Merged.Removed)
	require.Contains(t, mustRead(t, s.Dir.Full("sessions/index.json")), `"active_key": null`)
}

func TestATryChangesNothing(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	path := s.write("tenants.json", s.edited())
	before, text := mustRead(t, s.Dir.Registry()), mustRead(t, path)
	done, err := s.Try(t.Context(), workspace.Change{Tenants: true, Commit: create("d")})
	require.NoError(t, err)
	require.Equal(t, 1, done.Merged.Added)
	require.False(t, done.Made)
	require.Equal(t, before, mustRead(t, s.Dir.Registry()))
	require.Equal(t, text, mustRead(t, path))
}

func TestAChangeThatIsRefusedLeavesWhatOthersWrote(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	path := s.write("tenants.json", s.edited())
	text := mustRead(t, path)
	refused := errors.New("refused")
	done, err := s.Change(t.Context(), workspace.Change{Tenants: true, Commit: func(context.Context, *registry.Registry) error { return refused }})
	require.ErrorIs(t, err, refused)
	require.False(t, done.Made)
	_, err = s.tenant("c")
	require.ErrorIs(t, err, registry.ErrNotFound)
	require.Equal(t, text, mustRead(t, path))
	s.requireMerged(s.must(nothing))
}

// TestWhatWasKeptOfTenantsIsMerged by the next change that finds no writer on it, and is
// gone then.
func TestWhatWasKeptOfTenantsIsMerged(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	kept := s.write(".tenants.json.1.kept.tmp", s.edited())
	s.must(workspace.Change{Commit: profile("q", "a")})
	require.FileExists(t, kept, "a change of no tenant leaves it")
	s.requireMerged(s.must(nothing))

	text := mustRead(t, s.Dir.Tenants())
	kept = s.write(".tenants.json.2.kept.tmp", strings.Replace(strings.Replace(text, `"iad"`, `"lhr"`, 1), `"tenants": [`, `"tenants": [{"id": "d", "name": "new"},`, 1))
	require.NoError(t, os.Chtimes(kept, time.Time{}, mustStat(t, kept).ModTime().Add(-time.Second)))
	s.write("tenants.json", strings.Replace(text, `"name": "theirs"`, `"name": "there"`, 1))
	done := s.must(nothing)
	require.Equal(t, [3]int{1, 2, 0}, [3]int{done.Merged.Added, done.Merged.Updated, done.Merged.Removed}, "what stands there was written without a look at what was kept")
	for _, part := range []string{`"lhr"`, `"there"`, `"id": "d"`} {
		require.Contains(t, mustRead(t, s.Dir.Tenants()), part)
	}
	s.requireSettled()
}

func TestWhatWasKeptAndCannotBeReadStays(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	kept := s.write(".tenants.json.1.kept.tmp", "{")
	done := s.must(workspace.Change{Tenants: true, Commit: create("d")})
	require.Len(t, done.Unread, 1)
	require.ErrorIs(t, done.Unread[0], exporter.ErrRefused)
	require.FileExists(t, kept)
}

// TestWhatWasKeptOfSecretsIsMerged: the other program's key stays, and sp's own changes too.
func TestWhatWasKeptOfSecretsIsMerged(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	path := "profiles/p/secrets.json"
	text := mustRead(t, s.Dir.Full(path))
	s.must(workspace.Change{Commit: func(ctx context.Context, r *registry.Registry) error {
		_, err := r.EditSecrets(ctx, registry.SecretEdit{Profile: "p", Put: []registry.ProfileSecret{{Key: "ours", Value: secret.New("1")}}})
		return err
	}})
	s.write("profiles/p/.secrets.json.1.kept.tmp", strings.Replace(text, "{", `{"theirs": "2",`, 1))
	s.must(workspace.Change{Commit: profile("q", "a")})
	now := mustRead(t, s.Dir.Full(path))
	require.Contains(t, now, `"theirs"`)
	require.Contains(t, now, `"ours"`)
	s.must(nothing)
	s.requireSettled()
}

// TestAHalfWrittenFileIsWaitedForWithoutTheLock: others change the registry meanwhile.
func TestAHalfWrittenFileIsWaitedForWithoutTheLock(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	whole := s.edited()
	half := s.write("tenants.json", whole[:len(whole)/2])
	s.Registry.Now = func() time.Time { return mustStat(t, half).ModTime() } // it is being written just now
	first := make(chan workspace.Done)
	go func() {
		done, err := s.Change(context.WithoutCancel(t.Context()), nothing)
		if err != nil {
			t.Error(err)
		}
		first <- done
	}()
	other := s.Workspace
	other.Registry.Wait = time.Second
	for range 5 { // each would wait for the first, if that held the lock
		_, err := other.Change(t.Context(), workspace.Change{Commit: func(ctx context.Context, r *registry.Registry) error {
			_, err := r.SelectTenant(ctx, "b")
			return err
		}})
		require.NoError(t, err)
	}
	s.write("tenants.json", whole)
	s.requireMerged(<-first)
}

func TestAFileThatStaysHalfIsRefused(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	whole := s.edited()
	s.write("tenants.json", whole[:len(whole)/2])
	_, err := s.Change(t.Context(), nothing)
	var unreadable *workspace.UnreadableError
	require.ErrorAs(t, err, &unreadable)
	require.ErrorIs(t, err, exporter.ErrRefused)
	done := s.must(workspace.Change{Tenants: true, SetAside: true, Commit: export})
	require.Equal(t, whole[:len(whole)/2], mustRead(t, done.SetAside))
	s.must(nothing)
}

package workspace_test

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// mustTrackByGit has git track these files of the directory, whatever ignores them.
func (s *space) mustTrackByGit(files ...string) {
	s.t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		s.t.Skip("git is not there")
	}
	s.Git = func() project.Git { return project.Git{Path: git} }
	for _, args := range [][]string{{"init", "--quiet"}, append([]string{"add", "-f", "--"}, files...)} {
		cmd := exec.CommandContext(s.t.Context(), git, args...)
		cmd.Dir, cmd.Env = s.Dir.Path(), []string{"HOME=/nonexistent"}
		out, err := cmd.CombinedOutput()
		require.NoError(s.t, err, string(out))
	}
}

// TestWhatIsKeptAndTrackedIsNotMerged: it came with the repository, for sp gives no file that
// git tracks such a name.
func TestWhatIsKeptAndTrackedIsNotMerged(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	secrets := mustRead(t, s.Dir.Full("profiles/p/secrets.json"))
	tenants := s.write(".tenants.json.1.kept.tmp", s.edited())
	small := s.write("profiles/p/.secrets.json.1.kept.tmp", strings.Replace(secrets, "{", `{"theirs": "2",`, 1))
	s.mustTrackByGit(tenants, small)
	for _, settle := range []registry.Side{registry.Nobody, registry.Ours} {
		done := s.must(workspace.Change{Tenants: true, Settle: settle, Commit: export})
		require.Nil(t, done.Merged)
		require.NotEmpty(t, done.Unread)
		for _, told := range done.Unread {
			require.ErrorAs(t, told, new(*workspace.TrackedError))
		}
		require.FileExists(t, tenants)
		require.FileExists(t, small)
		require.Equal(t, secrets, mustRead(t, s.Dir.Full("profiles/p/secrets.json")))
	}
	done := s.must(workspace.Change{Tenants: true, Settle: registry.Theirs, Commit: export})
	require.Equal(t, 1, done.Merged.Added)
	require.NoFileExists(t, tenants)
}

// TestWhatIsTrackedIsNotRecovered: it would get a name under which it is merged.
func TestWhatIsTrackedIsNotRecovered(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	secrets := mustRead(t, s.Dir.Full("profiles/p/secrets.json"))
	tenants := s.write(".tenants.json.old.1.tmp", s.edited())
	small := s.write("profiles/p/.secrets.json.old.1.tmp", strings.Replace(secrets, "{", `{"theirs": "2",`, 1))
	s.mustTrackByGit(tenants, small)
	_, err := s.Change(t.Context(), nothing)
	require.ErrorAs(t, err, new(*workspace.TrackedError))
	require.FileExists(t, tenants)

	require.NoError(t, os.Remove(tenants))
	for range 2 {
		require.Nil(t, s.must(nothing).Merged)
	}
	require.FileExists(t, small)
	require.Equal(t, secrets, mustRead(t, s.Dir.Full("profiles/p/secrets.json")))
}

// TestOursEndsWhatWasKeptOfATrackedFile, of which nothing is taken without --theirs.
func TestOursEndsWhatWasKeptOfATrackedFile(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	kept := s.write(".tenants.json.1.kept.tmp", s.edited())
	s.mustTrackByGit("tenants.json")
	_, err := s.Change(t.Context(), nothing)
	require.ErrorAs(t, err, new(*workspace.TrackedError))
	done := s.must(workspace.Change{Tenants: true, Wanted: true, Settle: registry.Ours, Commit: export})
	require.Nil(t, done.Merged)
	require.NoFileExists(t, kept)
	s.must(nothing)
}

// TestATryWaitsForAHalfWrittenFile as the change does.
func TestATryWaitsForAHalfWrittenFile(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	whole := s.edited()
	half := s.write("tenants.json", whole[:len(whole)/2])
	end := writer(sync.OnceFunc(func() { s.write("tenants.json", whole) }))
	s.Reading = func(_ int64, r io.Reader) io.Reader { return io.MultiReader(r, end) }
	done, err := s.Try(t.Context(), nothing)
	require.NoError(t, err)
	require.Equal(t, 1, done.Merged.Added)

	s.Reading = nil
	s.write("tenants.json", whole[:len(whole)/2])
	require.NoError(t, os.Chtimes(half, time.Time{}, time.Now().Add(-time.Minute)))
	_, err = s.Try(t.Context(), nothing)
	require.ErrorAs(t, err, new(*workspace.UnreadableError))
}

// writer writes where a reader has come to the end.
type writer func()

func (w writer) Read([]byte) (int, error) {
	w()
	return 0, io.EOF
}

// TestWhatWasKeptOfSecretsIsMergedByAge, whatever the numbers in the names.
func TestWhatWasKeptOfSecretsIsMergedByAge(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	text := mustRead(t, s.Dir.Full("profiles/p/secrets.json"))
	for name, value := range map[string]string{"1": "new", "2": "old"} {
		kept := s.write("profiles/p/.secrets.json."+name+".kept.tmp", strings.Replace(text, "{", `{"theirs": "`+value+`",`, 1))
		if value == "old" {
			require.NoError(t, os.Chtimes(kept, time.Time{}, mustStat(t, kept).ModTime().Add(-time.Minute)))
		}
	}
	s.must(nothing)
	require.Contains(t, mustRead(t, s.Dir.Full("profiles/p/secrets.json")), `"new"`)
	s.requireSettled()
}

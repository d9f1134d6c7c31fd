package configuration

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/archive"
	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

const tenant = "0b8e6a52-1f0a-4c57-9d5e-1d0f7a3a1b11"

// plane is a control plane that holds the files of one tenant.
type plane struct {
	files []archive.File
	puts  int
	// before is called once, before a state is replaced; lost is what the answer to that is.
	before func()
	lost   error
}

func (p *plane) remote() Remote {
	return Remote{
		Get: func(context.Context) (State, error) {
			return State{slices.Clone(p.files), archive.ManifestOf(p.files).ETag()}, nil
		},
		Put: func(_ context.Context, etag string, text []byte) error {
			if before := p.before; before != nil {
				p.before = nil
				before()
			}
			if etag != archive.ManifestOf(p.files).ETag() {
				return ErrStale
			}
			files, err := archive.Read(bytes.NewReader(text))
			if err != nil {
				return err
			}
			p.puts++
			p.files = files
			return p.lost
		},
	}
}

func (p *plane) set(path, text string) {
	p.remove(path)
	p.files = append(p.files, archive.File{Path: path, Text: []byte(text)})
}

func (p *plane) remove(path string) {
	p.files = slices.DeleteFunc(p.files, func(f archive.File) bool { return f.Path == path })
}

func (p *plane) has() map[string]string {
	found := map[string]string{}
	for _, f := range p.files {
		found[f.Path] = string(f.Text)
	}
	return found
}

// side is a project in a directory of its own.
type side struct {
	t    *testing.T
	top  string
	sync *Sync
	// asked is what was to be removed.
	asked []string
}

func mustSide(t *testing.T, p *plane) *side {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	dir, _, err := project.Make(filepath.Join(top, project.Name))
	require.NoError(t, err)
	here := &side{t: t, top: top}
	here.sync = &Sync{
		Tree:   Tree{Dir: dir, Tenant: tenant, Profiles: map[string]registry.TenantID{"prod": tenant, "local": "local_1"}},
		Remote: p.remote(), Origin: "https://cloud.example",
		Confirm: func(paths []string) error { here.asked = append(here.asked, paths...); return nil },
	}
	return here
}

func (p *side) full(path string) string {
	if archive.IsProfile(path) {
		return filepath.Join(p.top, project.Name, path)
	}
	return filepath.Join(p.top, path)
}

func (p *side) write(path, text string) {
	p.t.Helper()
	require.NoError(p.t, os.MkdirAll(filepath.Dir(p.full(path)), 0o700))
	require.NoError(p.t, os.WriteFile(p.full(path), []byte(text), 0o600))
}

func (p *side) read(path string) string {
	p.t.Helper()
	text, err := os.ReadFile(p.full(path))
	require.NoError(p.t, err)
	return string(text)
}

func (p *side) mustPush() Result {
	p.t.Helper()
	r, err := p.sync.Push(p.t.Context())
	require.NoError(p.t, err)
	return r
}

func (p *side) mustPull() Result {
	p.t.Helper()
	r, err := p.sync.Pull(p.t.Context())
	require.NoError(p.t, err)
	return r
}

// settle runs fn with a side that decides.
func (p *side) settle(side Side, fn func() Result) Result {
	p.sync.Settle = side
	defer func() { p.sync.Settle = Neither }()
	return fn()
}

func (p *side) requireConflict(fn func(context.Context) (Result, error), paths ...string) {
	p.t.Helper()
	_, err := fn(p.t.Context())
	var conflict *ConflictError
	require.ErrorAs(p.t, err, &conflict)
	require.ErrorIs(p.t, err, registry.ErrConflict)
	require.Equal(p.t, paths, conflict.Paths)
}

const profileYAML = "# mine\nname: prod\ncloud:\n  tenant_id: " + tenant + "\n"

func TestWhatOnePushesTheOtherPulls(t *testing.T) {
	t.Parallel()
	there := &plane{}
	a, b := mustSide(t, there), mustSide(t, there)
	a.write("services/skills/a.md", "a")
	a.write("services/empty", "")
	a.write("profiles/prod/profile.yaml", profileYAML)
	r := a.mustPush()
	require.Equal(t, []Change{{"profiles/prod/profile.yaml", Add}, {"services/empty", Add}, {"services/skills/a.md", Add}}, r.Changes)
	require.True(t, r.Made)
	require.Empty(t, a.mustPush().Changes)
	require.Empty(t, a.mustPull().Changes)

	require.Len(t, b.mustPull().Changes, 3)
	require.Equal(t, "a", b.read("services/skills/a.md"))
	require.Empty(t, b.read("services/empty"))
	require.Equal(t, profileYAML, b.read("profiles/prod/profile.yaml"))
	require.Empty(t, b.mustPush().Changes)

	b.write("services/skills/a.md", "b")
	require.Equal(t, []Change{{"services/skills/a.md", Update}}, b.mustPush().Changes)
	require.NoError(t, os.Remove(b.full("services/empty")))
	require.Equal(t, []Change{{"services/empty", Remove}}, b.mustPush().Changes)
	require.Equal(t, []string{"services/empty"}, b.asked)
	a.write("services/new", "new")
	r = a.mustPush()
	require.Equal(t, []Change{{"services/new", Add}}, r.Changes)
	require.Equal(t, []Change{{"services/empty", Remove}, {"services/skills/a.md", Update}}, r.Waiting)
	require.Equal(t, "b", there.has()["services/skills/a.md"], "what only they changed is not pushed back")
	require.Empty(t, a.asked)
	a.mustPull()
	require.Equal(t, []string{"services/empty"}, a.asked)
	require.NoFileExists(t, a.full("services/empty"))
	require.Equal(t, "b", a.read("services/skills/a.md"))
	require.Equal(t, 4, there.puts)
}

func TestADryRunChangesNothing(t *testing.T) {
	t.Parallel()
	there := &plane{}
	there.set("services/theirs", "t")
	a := mustSide(t, there)
	a.write("services/ours", "o")
	a.sync.DryRun = true
	r := a.mustPush()
	require.Equal(t, []Change{{"services/ours", Add}}, r.Changes)
	require.False(t, r.Made)
	require.Equal(t, []Change{{"services/theirs", Add}}, a.mustPull().Changes)
	require.Zero(t, there.puts)
	require.NoFileExists(t, a.full("services/theirs"))
	require.NoDirExists(t, filepath.Join(a.top, project.Name, directory))
}

// sides are what can become of a file on either side, and whose the change is.
func TestEachFileIsComparedThreeWays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		base, ours, theirs string
		want               Side
	}{
		{"a", "a", "a", Neither},
		{"a", "b", "b", Neither},
		{"a", "", "", Neither},
		{"", "a", "a", Neither},
		{"a", "b", "a", Ours},
		{"a", "", "a", Ours},
		{"", "a", "", Ours},
		{"a", "a", "b", Theirs},
		{"a", "a", "", Theirs},
		{"", "", "a", Theirs},
		{"a", "b", "c", Both},
		{"a", "", "c", Both},
		{"a", "b", "", Both},
		{"", "b", "c", Both},
	} {
		of := func(hash string) map[string]string {
			if hash == "" {
				return map[string]string{}
			}
			return map[string]string{"f": hash}
		}
		got := Neither
		for _, d := range compare(of(c.base), of(c.ours), of(c.theirs)) {
			got = d.Changed
		}
		require.Equal(t, c.want, got, c)
	}
}

func TestWhatBothChangedStopsUntilOneSideDecides(t *testing.T) {
	t.Parallel()
	begin := func(t *testing.T) (*plane, *side) {
		there := &plane{}
		a := mustSide(t, there)
		for _, name := range []string{"one", "two", "same"} {
			a.write("services/"+name, "old")
		}
		a.mustPush()
		a.write("services/one", "ours")
		require.NoError(t, os.Remove(a.full("services/two")))
		a.write("services/same", "new")
		a.write("services/more", "more")
		there.set("services/one", "theirs")
		there.set("services/two", "theirs")
		there.set("services/same", "new")
		a.requireConflict(a.sync.Push, "services/one", "services/two")
		a.requireConflict(a.sync.Pull, "services/one", "services/two")
		require.NotContains(t, there.has(), "services/more", "all or nothing")
		return there, a
	}
	t.Run("push ours", func(t *testing.T) {
		t.Parallel()
		there, a := begin(t)
		a.settle(Ours, a.mustPush)
		require.Equal(t, map[string]string{"services/one": "ours", "services/same": "new", "services/more": "more"}, there.has())
		require.Empty(t, a.mustPull().Changes)
	})
	t.Run("pull theirs", func(t *testing.T) {
		t.Parallel()
		_, a := begin(t)
		a.settle(Theirs, a.mustPull)
		require.Equal(t, "theirs", a.read("services/one"))
		require.Equal(t, "theirs", a.read("services/two"))
		require.NoFileExists(t, a.full("services/more"))
		require.Empty(t, a.mustPush().Changes)
	})
	t.Run("pull ours, then push", func(t *testing.T) {
		t.Parallel()
		there, a := begin(t)
		require.Empty(t, a.settle(Ours, a.mustPull).Changes)
		require.Equal(t, "ours", a.read("services/one"))
		a.requireConflict(a.sync.Push, "services/one", "services/two")
		require.Len(t, a.settle(Ours, a.mustPush).Changes, 3)
		require.Equal(t, "ours", there.has()["services/one"])
	})
	t.Run("push theirs, then pull", func(t *testing.T) {
		t.Parallel()
		there, a := begin(t)
		r := a.settle(Theirs, a.mustPush)
		require.Equal(t, []Change{{"services/more", Add}}, r.Changes)
		require.Equal(t, []Left{{"services/one", "both sides changed it"}, {"services/two", "both sides changed it"}}, r.Left)
		require.Equal(t, "theirs", there.has()["services/one"])
		a.requireConflict(a.sync.Pull, "services/one", "services/two")
		require.Equal(t, "ours", a.read("services/one"), "nobody said that it may be lost here")
		require.Len(t, a.settle(Theirs, a.mustPull).Changes, 2)
		require.Equal(t, "theirs", a.read("services/two"))
	})
}

// Who brings a side's state along wants all of it: what only the other side changed or removed, too.
func TestTheSideThatDecidesCountsForEveryFile(t *testing.T) {
	t.Parallel()
	begin := func(t *testing.T) (*plane, *side) {
		there := &plane{}
		a := mustSide(t, there)
		for _, name := range []string{"edited", "removed", "same"} {
			a.write("services/"+name, "old")
		}
		a.mustPush()
		return there, a
	}
	t.Run("pull theirs", func(t *testing.T) {
		t.Parallel()
		there, a := begin(t)
		a.write("services/edited", "ours")
		require.NoError(t, os.Remove(a.full("services/removed")))
		a.write("services/added", "ours")
		there.set("services/more", "theirs")
		r := a.settle(Theirs, a.mustPull)
		require.Equal(t, []Change{{"services/added", Remove}, {"services/edited", Update}, {"services/more", Add}, {"services/removed", Add}}, r.Changes)
		require.Equal(t, []string{"services/added", "services/edited", "services/removed"}, r.Overruled)
		require.Equal(t, []string{"services/added"}, a.asked)
		require.Empty(t, r.Waiting)
		require.Equal(t, "old", a.read("services/edited"))
		require.Equal(t, "old", a.read("services/removed"))
		require.NoFileExists(t, a.full("services/added"))
		require.Empty(t, a.mustPush().Changes)
	})
	t.Run("push ours", func(t *testing.T) {
		t.Parallel()
		there, a := begin(t)
		there.set("services/edited", "theirs")
		there.remove("services/removed")
		there.set("services/added", "theirs")
		a.write("services/more", "ours")
		r := a.settle(Ours, a.mustPush)
		require.Equal(t, []Change{{"services/added", Remove}, {"services/edited", Update}, {"services/more", Add}, {"services/removed", Add}}, r.Changes)
		require.Equal(t, []string{"services/added", "services/edited", "services/removed"}, r.Overruled)
		require.Equal(t, []string{"services/added"}, a.asked)
		require.Equal(t, map[string]string{"services/edited": "old", "services/removed": "old", "services/same": "old", "services/more": "ours"}, there.has())
		require.Empty(t, a.mustPull().Changes)
	})
	t.Run("the other way nothing is overruled", func(t *testing.T) {
		t.Parallel()
		there, a := begin(t)
		a.write("services/edited", "ours")
		there.set("services/same", "theirs")
		r := a.settle(Ours, a.mustPull)
		require.Equal(t, []Change{{"services/same", Update}}, r.Changes)
		require.Empty(t, r.Overruled)
		require.Equal(t, []Change{{"services/edited", Update}}, r.Waiting)
	})
	t.Run("a profile that the registry has stays, and is pushed later", func(t *testing.T) {
		t.Parallel()
		there, a := begin(t)
		a.write("profiles/prod/profile.yaml", profileYAML)
		r := a.settle(Theirs, a.mustPull)
		require.Empty(t, r.Changes)
		require.Empty(t, r.Overruled)
		require.Equal(t, []Left{{"profiles/prod/profile.yaml", "it is not at the control plane, and the registry here has the profile"}}, r.Left)
		require.Equal(t, []Change{{"profiles/prod/profile.yaml", Add}}, a.mustPush().Changes)
		require.Contains(t, there.has(), "profiles/prod/profile.yaml")
	})
}

// Without a base nobody knows who changed what: what differs is a conflict, and nothing is removed unasked.
func TestWithoutABaseNothingIsLost(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(t *testing.T, a *side, path string){
		"missing":          func(t *testing.T, _ *side, path string) { require.NoError(t, os.Remove(path)) },
		"cut":              func(t *testing.T, _ *side, path string) { require.NoError(t, os.Truncate(path, 20)) },
		"of another cloud": func(_ *testing.T, a *side, _ string) { a.sync.Origin = "https://other.example" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			there := &plane{}
			a := mustSide(t, there)
			for _, name := range []string{"both", "ours", "theirs"} {
				a.write("services/"+name, "old")
			}
			a.mustPush()
			a.write("services/both", "new")
			there.remove("services/ours")
			require.NoError(t, os.Remove(a.full("services/theirs")))
			harm(t, a, a.sync.Tree.Dir.Full(a.sync.path()))
			a.requireConflict(a.sync.Push, "services/both")
			require.Equal(t, "old", a.read("services/ours"))
			a.settle(Theirs, a.mustPull)
			require.Equal(t, "old", a.read("services/theirs"))
			require.Equal(t, []string{"services/ours"}, a.asked, "they have it no more")
		})
	}
}

func TestAPushThatCameTooLateComparesAgain(t *testing.T) {
	t.Parallel()
	there := &plane{}
	a := mustSide(t, there)
	a.write("services/a", "a")
	there.before = func() { there.set("services/other", "o") }
	require.Equal(t, []Change{{"services/other", Add}}, a.mustPush().Waiting)
	require.Equal(t, map[string]string{"services/a": "a", "services/other": "o"}, there.has())

	a.write("services/a", "a2")
	there.before = func() { there.set("services/a", "their a2") }
	a.requireConflict(a.sync.Push, "services/a")
	require.Equal(t, "their a2", there.has()["services/a"])
}

func TestALostAnswerToAPushCostsARetry(t *testing.T) {
	t.Parallel()
	there := &plane{lost: errors.New("the line is cut")}
	a := mustSide(t, there)
	a.write("services/a", "a")
	_, err := a.sync.Push(t.Context())
	require.ErrorIs(t, err, there.lost)
	there.lost = nil
	require.Empty(t, a.mustPush().Changes)
	a.write("services/a", "a2")
	require.Equal(t, []Change{{"services/a", Update}}, a.mustPush().Changes)
	require.Equal(t, 2, there.puts)
}

// A pull that was cut between two files goes on: what it had written is theirs by now.
func TestAPullThatWasCutGoesOn(t *testing.T) {
	t.Parallel()
	there := &plane{}
	a := mustSide(t, there)
	for _, name := range []string{"one", "two", "three", "gone"} {
		a.write("services/"+name, "old")
	}
	a.mustPush()
	there.set("services/one", "new")
	there.set("services/two", "new")
	there.set("services/d/four", "new")
	there.remove("services/three")
	there.remove("services/gone")
	c, err := a.sync.compare(t.Context(), Theirs)
	require.NoError(t, err)
	all := c.changedBy(Theirs)
	require.Len(t, all, 5)
	for n := range all {
		_, err := a.sync.Tree.put(all[n:n+1], there.files) // and here it is killed
		require.NoError(t, err)
		again, err := a.sync.compare(t.Context(), Theirs)
		require.NoError(t, err)
		require.ElementsMatch(t, all[n+1:], again.changedBy(Theirs))
		require.Empty(t, again.changedBy(Ours))
	}
	require.Empty(t, a.mustPull().Changes)
	require.Empty(t, a.mustPush().Changes, "nothing of theirs is taken back")
	require.Equal(t, "new", a.read("services/d/four"))
}

// A pull that was killed between an exchange and the look at what came out leaves a hidden file.
func TestAPullRemovesWhatAKilledOneLeft(t *testing.T) {
	t.Parallel()
	there := &plane{}
	a := mustSide(t, there)
	a.write("services/d/one", "old")
	a.mustPush()
	there.set("services/d/one", "new")
	a.write("services/d/.one.old.7.tmp", "old")
	a.write("services/d/.one.old.8.tmp", "somebody else's")
	r, err := a.sync.Pull(t.Context())
	require.ErrorIs(t, err, registry.ErrIncomplete)
	require.True(t, r.Made)
	require.ErrorContains(t, err, ".one.8.kept.tmp")
	entries, err := os.ReadDir(a.full("services/d"))
	require.NoError(t, err)
	require.Len(t, entries, 2)
	require.Equal(t, "new", a.read("services/d/one"))
	require.Equal(t, "somebody else's", a.read("services/d/.one.8.kept.tmp"))
}

func TestWhatIsNoPlainFileStaysOnBothSides(t *testing.T) {
	t.Parallel()
	there := &plane{}
	a := mustSide(t, there)
	outside := filepath.Join(t.TempDir(), "outside")
	require.NoError(t, os.MkdirAll(filepath.Join(outside, "d"), 0o700))
	a.write("services/plain", "p")
	for _, name := range []string{"link", "dir/x", "dir/y"} {
		a.write("services/"+name, "old")
	}
	a.mustPush()
	require.NoError(t, os.Remove(a.full("services/link")))
	require.NoError(t, os.Symlink(filepath.Join(outside, "file"), a.full("services/link")))
	require.NoError(t, os.RemoveAll(a.full("services/dir")))
	require.NoError(t, os.Symlink(filepath.Join(outside, "d"), a.full("services/dir")))
	require.NoError(t, syscall.Mkfifo(a.full("services/fifo"), 0o600))
	a.write("services/secrets.json", "{}")
	a.write("services/node_modules/x/index.js", "x")
	a.write("services/.env", "A=b")
	a.write("services/.git/config", "x")
	a.write(`services/a\b`, "x")
	r := a.mustPush()
	require.Empty(t, r.Changes)
	require.Empty(t, a.asked)
	left := []string{}
	for _, l := range r.Left {
		left = append(left, l.Path)
	}
	require.Equal(t, []string{`services/a\b`, "services/dir", "services/fifo", "services/link", "services/node_modules", "services/secrets.json"}, left)

	there.set("services/link", "new")
	there.set("services/dir/x", "new")
	there.set("services/dir/z", "new")
	there.remove("services/dir/y")
	require.Empty(t, a.mustPull().Changes)
	entries, err := os.ReadDir(filepath.Join(outside, "d"))
	require.NoError(t, err)
	require.Empty(t, entries)
	require.NoFileExists(t, filepath.Join(outside, "file"))

	require.NoError(t, os.Remove(a.full("services/dir"))) // and with it what was there
	a.requireConflict(a.sync.Pull, "services/dir/x")
	require.Len(t, a.settle(Theirs, a.mustPull).Changes, 2)
}

func TestServicesThatIsALinkIsNotFollowed(t *testing.T) {
	t.Parallel()
	there := &plane{}
	there.set("services/a", "a")
	a := mustSide(t, there)
	outside := t.TempDir()
	require.NoError(t, os.Symlink(outside, a.full("services")))
	require.NoError(t, os.WriteFile(filepath.Join(outside, "b"), nil, 0o600))
	r := a.mustPush()
	require.Empty(t, r.Changes)
	require.Equal(t, []Left{{"services", "it is a symbolic link, and no directory"}}, r.Left)
	require.Empty(t, a.mustPull().Changes)
	require.NoFileExists(t, filepath.Join(outside, "a"))
}

func TestAFileIsNotWrittenWhereADirectoryIs(t *testing.T) {
	t.Parallel()
	there := &plane{}
	there.set("services/first", "f")
	there.set("services/x", "x")
	a := mustSide(t, there)
	a.write("services/x/.hidden", "h")
	_, err := a.sync.Pull(t.Context())
	require.ErrorIs(t, err, registry.ErrConflict)
	require.ErrorContains(t, err, "services/x is a directory")
	require.NoFileExists(t, a.full("services/first"), "nothing is written")
}

func TestAFileIsNotWrittenBelowAFile(t *testing.T) {
	t.Parallel()
	there := &plane{}
	a := mustSide(t, there)
	a.write("services/x", "x")
	a.mustPush()
	there.remove("services/x")
	there.set("services/x/y", "y")
	_, err := a.sync.Pull(t.Context())
	require.ErrorIs(t, err, registry.ErrConflict)
	require.ErrorContains(t, err, "services/x is a file (move it away)")
	require.NoError(t, os.Remove(a.full("services/x")))
	a.mustPull()
	require.Equal(t, "y", a.read("services/x/y"))
	info, err := os.Stat(a.full("services/x"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o755), info.Mode().Perm())
}

func TestOnlyProfilesOfTheTenantTravel(t *testing.T) {
	t.Parallel()
	there := &plane{}
	a, b := mustSide(t, there), mustSide(t, there)
	of := func(name, id string) string { return "name: " + name + "\ncloud:\n  tenant_id: " + id + "\n" }
	a.write("profiles/prod/profile.yaml", profileYAML)
	a.write("profiles/prod/secrets.json", "{}")
	a.write("profiles/local/profile.yaml", of("local", "local_1"))
	a.write("profiles/stranger/profile.yaml", of("stranger", "local_2"))
	a.write("profiles/broken/profile.yaml", "{")
	a.write("profiles/colleague/profile.yaml", of("colleague", tenant))
	r := a.mustPush()
	require.Equal(t, []Change{{"profiles/colleague/profile.yaml", Add}, {"profiles/prod/profile.yaml", Add}}, r.Changes)
	require.Empty(t, r.Left)

	// Theirs of which another tenant's profile, or another file, has the name here stays there.
	there.set("profiles/local/profile.yaml", of("local", tenant))
	there.set("profiles/PROD/profile.yaml", of("PROD", tenant))
	there.remove("profiles/prod/profile.yaml")
	there.set("profiles/new/profile.yaml", of("new", tenant))
	there.set("profiles/wrong/profile.yaml", of("wrong", "other"))
	there.set("profiles/none/profile.yaml", "name: none\n")
	b.write("profiles/colleague/profile.yaml", of("colleague", "local_7"))
	r = b.mustPull()
	require.Equal(t, []Change{{"profiles/new/profile.yaml", Add}}, r.Changes)
	require.Equal(t, []Left{
		{"profiles/PROD/profile.yaml", "here is profile prod, and only case tells them apart"},
		{"profiles/colleague/profile.yaml", "here, it names tenant local_7"},
		{"profiles/local/profile.yaml", "here, profile local is of tenant local_1"},
		{"profiles/none/profile.yaml", "there, it names no tenant"},
		{"profiles/wrong/profile.yaml", "there, it names tenant other"},
	}, r.Left)
	require.Empty(t, b.mustPull().Changes)
	require.Empty(t, b.mustPush().Changes, "what has come is theirs, whether the registry knows it or not")
}

// The registry would make the profile.yaml of its profile anew.
func TestAProfileThatTheyRemovedStaysWithItsRegistry(t *testing.T) {
	t.Parallel()
	there := &plane{}
	a := mustSide(t, there)
	a.write("profiles/prod/profile.yaml", profileYAML)
	a.mustPush()
	there.remove("profiles/prod/profile.yaml")
	r := a.mustPull()
	require.Empty(t, r.Changes)
	require.Equal(t, []Left{{"profiles/prod/profile.yaml", "it is not at the control plane, and the registry here has the profile"}}, r.Left)
	require.Empty(t, a.mustPush().Changes)
	require.Empty(t, there.files)

	delete(a.sync.Tree.Profiles, "prod")
	require.Equal(t, []Change{{"profiles/prod/profile.yaml", Remove}}, a.mustPull().Changes)
}

func TestAProfileWithASecretIsNotPushed(t *testing.T) {
	t.Parallel()
	there := &plane{}
	a := mustSide(t, there)
	a.write("services/a", "a")
	a.write("profiles/prod/profile.yaml", profileYAML+"url: postgres://u:hunter2@h/d\n")
	_, err := a.sync.Push(t.Context())
	require.ErrorIs(t, err, archive.ErrRefused)
	require.ErrorContains(t, err, "profiles/prod/profile.yaml: line 5 holds a connection string with its password")
	require.NotContains(t, err.Error(), "hunter2")
	require.Empty(t, there.files)
}

// A secret that the registry knows is known again wherever somebody has copied it.
func TestAFileWithASecretOfTheTenantIsNotPushed(t *testing.T) {
	t.Parallel()
	there := &plane{}
	a := mustSide(t, there)
	a.sync.Secrets = []Secret{{"its sync token", secret.New("sp_sync_hunter2")}, {"a short one", secret.New("a")}}
	a.write("services/ok", "a")
	a.write("services/mcp/env", "TOKEN=sp_sync_hunter2\n")
	a.sync.DryRun = true
	_, err := a.sync.Push(t.Context())
	require.EqualError(t, err, "services/mcp/env: it holds its sync token: refused")
	require.ErrorIs(t, err, archive.ErrRefused)
	require.NoError(t, os.Remove(a.full("services/mcp/env")))
	require.Len(t, a.mustPush().Changes, 1)
}

func TestTheirRefusedStateIsNotPulled(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"services/../../x", "services/.bashrc", "profiles/prod/secrets.json"} {
		there := &plane{}
		there.set("services/a", "a")
		there.set(path, "x")
		a := mustSide(t, there)
		_, err := a.sync.Pull(t.Context())
		require.ErrorIs(t, err, ErrUnfit)
		require.ErrorContains(t, err, path)
		require.NoFileExists(t, a.full("services/a"))
	}
}

func TestNamesThatOnlyCaseTellsApartAreNotPushed(t *testing.T) {
	t.Parallel()
	a := mustSide(t, &plane{})
	a.write("services/readme.md", "a")
	a.write("services/README.md", "b")
	_, err := a.sync.Push(t.Context())
	require.ErrorIs(t, err, archive.ErrRefused)
	require.ErrorContains(t, err, "only case or accents tell it from services/README.md")
}

func TestWhoRefusesARemovalChangesNothing(t *testing.T) {
	t.Parallel()
	there := &plane{}
	a := mustSide(t, there)
	a.write("services/a", "a")
	a.write("services/b", "b")
	a.mustPush()
	no := errors.New("no")
	a.sync.Confirm = func([]string) error { return no }
	require.NoError(t, os.Remove(a.full("services/a")))
	_, err := a.sync.Push(t.Context())
	require.ErrorIs(t, err, no)
	require.Contains(t, there.has(), "services/a")
	there.remove("services/b")
	_, err = a.sync.Pull(t.Context())
	require.ErrorIs(t, err, no)
	require.FileExists(t, a.full("services/b"))
}

func TestALockThatIsNoPlainFileIsRefused(t *testing.T) {
	t.Parallel()
	for name, put := range map[string]func(at, outside string) error{
		"link":          func(at, outside string) error { return os.Symlink(outside, at) },
		"dangling link": func(at, outside string) error { return os.Symlink(outside+".new", at) },
		"pipe":          func(at, _ string) error { return syscall.Mkfifo(at, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := mustSide(t, &plane{})
			a.write("services/a", "a")
			outside := filepath.Join(t.TempDir(), "outside")
			require.NoError(t, os.WriteFile(outside, nil, 0o600))
			require.NoError(t, os.Mkdir(a.sync.Tree.Dir.Full(directory), 0o700))
			at := a.sync.Tree.Dir.Full(directory + "/.lock")
			require.NoError(t, put(at, outside))
			_, err := a.sync.Push(t.Context())
			require.ErrorIs(t, err, place.ErrUnsafe)
			require.ErrorContains(t, err, at+": refused as unsafe: not a regular file")
			require.NoFileExists(t, outside+".new")
		})
	}
}

func TestTwoCommandsDoNotCompareAtOnce(t *testing.T) {
	t.Parallel()
	there := &plane{}
	a := mustSide(t, there)
	a.write("services/a", "a")
	there.before = func() {
		_, err := a.sync.Pull(t.Context())
		require.ErrorIs(t, err, ErrBusy)
	}
	a.mustPush()
}

func TestWhatIsRememberedIsPrivateAndHasASafeName(t *testing.T) {
	t.Parallel()
	a := mustSide(t, &plane{})
	a.write("services/a", "a")
	a.mustPush()
	path := a.sync.Tree.Dir.Full("sync/" + tenant + ".json")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	for _, id := range []string{"", "../x", "-a", "A", "a/b", strings.Repeat("a", 65), ".lock"} {
		require.Regexp(t, "^[0-9a-f]{64}$", fileName(id), id)
	}
	require.Equal(t, tenant, fileName(tenant))
}

package project

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSearchFindsWhatFindRefuses(t *testing.T) {
	t.Parallel()
	d := mustMake(t, filepath.Join(tempDir(t), Name))
	require.NoError(t, os.Chmod(d.Path(), 0o777))
	_, err := Find(d.Path() + "/..")
	require.ErrorIs(t, err, ErrUnsafe)
	found, err := Search(filepath.Dir(d.Path()))
	require.NoError(t, err)
	require.Equal(t, d, found)
	mode, err := found.Mode()
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o777), mode)
	require.NoError(t, found.Tighten())
	require.Equal(t, os.FileMode(0o700), modeOf(t, d.Path()).Perm())

	// But no link that leads astray, and nothing that is not there.
	link := filepath.Join(tempDir(t), Name)
	mustSymlink(t, "nowhere", link)
	_, err = Locate(link)
	require.ErrorIs(t, err, ErrUnsafe)
	_, err = Locate(filepath.Join(tempDir(t), Name))
	require.ErrorIs(t, err, ErrNoDirectory)
}

func TestLooseSecretsAreFoundAndTightened(t *testing.T) {
	t.Parallel()
	d := mustMake(t, filepath.Join(tempDir(t), Name))
	public := []string{"profiles/p/profile.yaml", "README", ".gitignore", ".gitignore.4711.tmp"}
	secret := []string{"tenants.json", ".tenants.json.4711.tmp", "sp.db.bak-1", "credentials.json", "sessions/index.json", "docker/shared.yaml", "profiles/p/secrets.json", "profiles/p/docker/compose.yaml"}
	for _, path := range append(append([]string{"sp.db", "docker/data/base/1"}, public...), secret...) {
		full := filepath.Join(d.Path(), path)
		mustMkdir(t, filepath.Dir(full))
		mustWrite(t, full, "x")
		require.NoError(t, os.Chmod(full, 0o640))
	}
	loose, err := d.LooseSecrets()
	require.NoError(t, err)
	var found []string
	for _, l := range loose {
		require.True(t, l.Readable())
		require.False(t, l.Strange)
		require.Equal(t, os.FileMode(0o640), l.Mode)
		require.NoError(t, d.TightenFile(l.Path))
		require.Equal(t, os.FileMode(0o600), modeOf(t, filepath.Join(d.Path(), l.Path)).Perm())
		found = append(found, l.Path)
	}
	require.ElementsMatch(t, secret, found)
	loose, err = d.LooseSecrets()
	require.NoError(t, err)
	require.Empty(t, loose)
	for _, path := range public {
		require.Equal(t, os.FileMode(0o640), modeOf(t, filepath.Join(d.Path(), path)).Perm(), path)
	}
}

func TestTightenFileStaysInTheDirectory(t *testing.T) {
	t.Parallel()
	above := tempDir(t)
	d := mustMake(t, filepath.Join(above, Name))
	outside := mustWrite(t, filepath.Join(above, "tenants.json"), "x")
	require.NoError(t, os.Chmod(outside, 0o644))
	mustSymlink(t, "../tenants.json", d.Tenants())
	mustSymlink(t, "..", filepath.Join(d.Path(), "sessions"))
	require.NoError(t, syscall.Mkfifo(filepath.Join(d.Path(), ".lock"), 0o644))
	for _, path := range []string{"tenants.json", "../tenants.json", "sessions/tenants.json", ".lock", "none"} {
		require.Error(t, d.TightenFile(path), path)
	}
	require.Equal(t, os.FileMode(0o644), modeOf(t, outside).Perm())
	loose, err := d.LooseSecrets()
	require.NoError(t, err)
	require.Empty(t, loose)
}

// TestTightenFileFollowsNoLink: not even one that stays in the directory, to a file that
// is meant to be read by others.
func TestTightenFileFollowsNoLink(t *testing.T) {
	t.Parallel()
	d := mustMake(t, filepath.Join(tempDir(t), Name))
	mustMkdir(t, filepath.Join(d.Path(), "profiles", "p"))
	public := mustWrite(t, filepath.Join(d.Path(), "profiles", "p", "profile.yaml"), "x")
	require.NoError(t, os.Chmod(public, 0o644))
	mustSymlink(t, "profiles/p/profile.yaml", d.Tenants())
	mustSymlink(t, "profiles/p", filepath.Join(d.Path(), "sessions"))
	for _, path := range []string{"tenants.json", "sessions/profile.yaml"} {
		require.ErrorContains(t, d.TightenFile(path), "it is a symbolic link", path)
	}
	require.Equal(t, os.FileMode(0o644), modeOf(t, public).Perm())
	require.NoError(t, d.TightenFile("profiles/p/profile.yaml"), "by its own name it is")
	require.Equal(t, os.FileMode(0o600), modeOf(t, public).Perm())
}

func TestTemporariesAreToldApart(t *testing.T) {
	t.Parallel()
	d := mustMake(t, filepath.Join(tempDir(t), Name))
	mustMkdir(t, filepath.Join(d.Path(), "profiles", "p"))
	type kind struct{ free, ours bool }
	want := map[string]kind{
		".tenants.json.12.tmp":            {false, true},
		"sp.db.new":                       {false, true},
		"sp.db.new-journal":               {false, true},
		"sp.db.bak.new":                   {false, true},
		".gitignore.3.tmp":                {true, true},
		".sp-4.tmp":                       {true, true},
		".tenants.json.x.tmp":             {false, false},
		".gitignore..tmp":                 {false, false},
		"profiles/p/.secrets.json.12.tmp": {false, false},
	}
	for path := range want {
		mustWrite(t, filepath.Join(d.Path(), path), "x")
	}
	for _, path := range []string{"tmp", "a.tmp", "sp.db", "profiles/p/b.tmp"} {
		mustWrite(t, filepath.Join(d.Path(), path), "x")
	}
	mustMkdir(t, filepath.Join(d.Path(), ".directory.tmp"))
	found, err := d.Temporaries()
	require.NoError(t, err)
	require.Len(t, found, len(want))
	for _, tmp := range found {
		require.Equal(t, want[tmp.Path], kind{tmp.Free(), tmp.Ours()}, tmp.Path)
		err := d.RemoveTemporary(tmp)
		require.Equal(t, tmp.Free(), err == nil, tmp.Path)
		require.Equal(t, !tmp.Free(), exists(filepath.Join(d.Path(), tmp.Path)), tmp.Path)
	}
}

func TestFileSystemsWhoseLocksAreNotToBeReliedOn(t *testing.T) {
	t.Parallel()
	for magic, name := range map[uint32]string{
		0x6969: "NFS", 0x517b: "SMB", 0xff534d42: "CIFS", 0xfe534d42: "SMB2", 0x01021997: "9P", 0x65735546: "FUSE",
		0xef53: "", 0x01021994: "", 0x58465342: "", 0x9123683e: "", 0x794c7630: "", // ext4, tmpfs, XFS, Btrfs, overlay
	} {
		require.Equal(t, name, remoteName(magic), "%#x", magic)
	}
	name, err := mustMake(t, filepath.Join(tempDir(t), Name)).RemoteFileSystem()
	require.NoError(t, err)
	require.Empty(t, name, "this test wants TMPDIR on a local disk")
}

// TestARealFUSEIsSeen mounts one, where that can be done.
func TestARealFUSEIsSeen(t *testing.T) {
	t.Parallel()
	bindfs, err := exec.LookPath("bindfs")
	if err != nil {
		t.Skip("there is no bindfs")
	}
	from, at := tempDir(t), tempDir(t)
	if out, err := exec.Command(bindfs, from, at).CombinedOutput(); err != nil {
		t.Skipf("it can't be mounted here: %s", out)
	}
	t.Cleanup(func() { require.NoError(t, exec.Command("fusermount", "-u", at).Run()) })
	name, err := mustMake(t, filepath.Join(at, Name)).RemoteFileSystem()
	require.NoError(t, err)
	require.Equal(t, "FUSE", name)
}

package project

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// withProfile makes a directory with a profile that names a tenant.
func withProfile(t *testing.T, text string) (Dir, string) {
	t.Helper()
	d := mustMake(t, filepath.Join(tempDir(t), "project", Name))
	return d, mustWrite(t, filepath.Join(d.Path(), "profiles", "staging", "profile.yaml"), text)
}

// C3. A directory stands, on purpose, for its profile.yaml, and not for itself.
func TestReadProfileTakesEverySpelling(t *testing.T) {
	t.Parallel()
	d, file := withProfile(t, "name: staging\ncloud:\n  tenant_id: local_19c\n  tenants_path: ../../../../x\n")
	project := filepath.Dir(d.Path())
	mustSymlink(t, filepath.Dir(file), filepath.Join(project, "outside-link"))
	mustSymlink(t, "staging", filepath.Join(d.Path(), "profiles", "alias"))

	for path, cwd := range map[string]string{
		file:               "/",
		filepath.Dir(file): "/nowhere",
		".systemprompt/profiles/staging/profile.yaml": project,
		"./.systemprompt/profiles/staging/":           project,
		"profile.yaml":                                filepath.Dir(file),
		".":                                           filepath.Dir(file),
		"../staging":                                  filepath.Dir(file),
		"outside-link/profile.yaml":                   project,
		"outside-link/../staging/profile.yaml":        project,
		d.Path() + "/profiles/alias":                  "/",
	} {
		if !filepath.IsAbs(path) {
			path = cwd + "/" + path
		}
		name, text, err := d.ReadProfile(path)
		require.NoError(t, err, path)
		require.Equal(t, "staging", name, path)
		require.Equal(t, mustRead(t, file), string(text), path)
	}
}

func TestReadProfileIsConfined(t *testing.T) {
	t.Parallel()
	d, file := withProfile(t, "name: staging\n")
	project := filepath.Dir(d.Path())
	outside := mustWrite(t, filepath.Join(project, "other", "profiles", "evil", "profile.yaml"), "cloud: {tenant_id: x}\n")
	mustSymlink(t, filepath.Dir(outside), filepath.Join(d.Path(), "profiles", "dirlink"))
	mustSymlink(t, outside, filepath.Join(mustMkdir(t, filepath.Join(d.Path(), "profiles", "filelink")), "profile.yaml"))
	mustWrite(t, filepath.Join(filepath.Dir(file), "other.yaml"), "")
	mustWrite(t, filepath.Join(filepath.Dir(file), "profile.yml"), "")
	mustWrite(t, filepath.Join(filepath.Dir(file), "deep", "profile.yaml"), "")
	mustWrite(t, filepath.Join(d.Path(), "profiles", "profile.yaml"), "")
	mustWrite(t, filepath.Join(d.Path(), "profile.yaml"), "")
	mustWrite(t, d.Path()+"-twin/profiles/x/profile.yaml", "")

	for path, why := range map[string]string{
		"../../../other/profiles/evil": "not inside", "../dirlink": "not inside", "../../../../../../../../../../../../../dev/null": "not inside",
		"../filelink/profile.yaml": "not inside", "../../../.systemprompt-twin/profiles/x": "not inside",
		"other.yaml": "not profiles/NAME", "profile.yml": "not profiles/NAME", "deep": "not profiles/NAME",
		"..": "not profiles/NAME", "../..": "not profiles/NAME",
	} {
		_, _, err := d.ReadProfile(filepath.Dir(file) + "/" + path)
		require.ErrorIs(t, err, ErrInvalid, path)
		require.ErrorContains(t, err, why, path)
		require.ErrorContains(t, err, d.Path(), path)
	}
}

func TestReadProfileNeedsToKnowWhereItIs(t *testing.T) {
	t.Parallel()
	d, _ := withProfile(t, "")
	for _, path := range []string{"~", "~/profiles/staging", ".", "profiles/staging"} {
		_, _, err := d.ReadProfile(path)
		require.ErrorIs(t, err, ErrInvalid, path)
		require.ErrorContains(t, err, "not absolute")
	}
}

// A directory that becomes a link after the path was looked at leads nowhere else.
func TestReadStaysInsideTheDirectory(t *testing.T) {
	t.Parallel()
	d, file := withProfile(t, "name: staging\n")
	outside := mustWrite(t, filepath.Join(filepath.Dir(d.Path()), "evil", "profile.yaml"), "cloud: {tenant_id: x}\n")
	require.NoError(t, os.RemoveAll(filepath.Dir(file)))
	mustSymlink(t, filepath.Dir(outside), filepath.Dir(file))
	_, err := d.read("profiles/staging/profile.yaml")
	require.ErrorIs(t, err, ErrInvalid)
}

// C3, as far as it is missing.
func TestReadProfileTellsWhatIsMissing(t *testing.T) {
	t.Parallel()
	d, file := withProfile(t, "")
	mustMkdir(t, filepath.Join(d.Path(), "profiles", "empty"))
	mustSymlink(t, "gone", filepath.Join(d.Path(), "profiles", "dangling"))
	for _, path := range []string{"../gone", "../empty", "../dangling", "profile.yaml/x", "~", "~root/x"} {
		_, _, err := d.ReadProfile(filepath.Dir(file) + "/" + path)
		require.ErrorIs(t, err, ErrNotFound, path)
		require.ErrorContains(t, err, path)
	}
	mustSymlink(t, "loop", filepath.Join(d.Path(), "profiles", "loop"))
	for _, path := range []string{"../loop", "nul\x00", strings.Repeat("x", 300)} {
		_, _, err := d.ReadProfile(filepath.Dir(file) + "/" + path)
		require.ErrorIs(t, err, ErrInvalid, path)
	}
}

func TestReadProfileRefusesWhatIsNoRegularFile(t *testing.T) {
	t.Parallel()
	d, file := withProfile(t, "")
	for name, put := range map[string]func() error{
		"fifo":      func() error { return syscall.Mkfifo(file, 0o600) },
		"socket":    func() error { return syscall.Mknod(file, syscall.S_IFSOCK|0o600, 0) },
		"too large": func() error { return os.WriteFile(file, make([]byte, maxYAML+1), 0o600) },
	} {
		require.NoError(t, os.RemoveAll(file))
		require.NoError(t, put())
		_, _, err := d.ReadProfile(file)
		require.ErrorIs(t, err, ErrInvalid, name)
	}
}

func TestReadProfileReadsUpToTheLimit(t *testing.T) {
	t.Parallel()
	text := "cloud: {tenant_id: x}\n"
	d, file := withProfile(t, text+strings.Repeat("#", maxYAML-len(text)))
	_, read, err := d.ReadProfile(file)
	require.NoError(t, err)
	require.Len(t, read, maxYAML)
	require.True(t, strings.HasPrefix(string(read), text))
}

func TestReadProfileTellsWhatItMayNotRead(t *testing.T) {
	t.Parallel()
	skipRoot(t)
	d, file := withProfile(t, "")
	require.NoError(t, os.Chmod(file, 0))
	_, _, err := d.ReadProfile(file)
	require.ErrorIs(t, err, fs.ErrPermission)
}

// C5: a path names the profile of its directory; one without such a directory names none.
func TestReadProfileTakesTheNameFromTheDirectory(t *testing.T) {
	t.Parallel()
	d, file := withProfile(t, "name: other\n")
	name, _, err := d.ReadProfile(file)
	require.NoError(t, err)
	require.Equal(t, "staging", name, "and not from the file")
	_, _, err = d.ReadProfile("/")
	require.Error(t, err)
}

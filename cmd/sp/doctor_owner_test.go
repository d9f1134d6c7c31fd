package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/doctor"
	"github.com/sp-registry/sp/internal/harness"
)

func TestDoctorTellsWhatBelongsToSomebodyElse(t *testing.T) {
	t.Parallel()
	harness.NeedRoot(t)
	s := newSandbox(t)
	s.mustImport("2026-02-01T12:00:00Z", oneTenant)
	s.must("export")
	for path, where := range map[string]string{
		".systemprompt/sp.db":        "registry-file",
		".systemprompt/tenants.json": "secret-files",
		".systemprompt/.lock":        "secret-files",
		".systemprompt":              "directory",
	} {
		full := filepath.Join(s.dir, path)
		require.NoError(t, os.Chown(full, harness.Nobody, harness.Nobody))
		for _, args := range [][]string{nil, {"--fix"}} {
			found := s.diagnosed(6, args...)[where]
			require.Equal(t, doctor.Error, found[0].Result, path)
			require.Contains(t, found[0].Message, full+": ", path)
			require.Contains(t, found[0].Message+found[0].Remedy, "it belongs to user 65534", path)
		}
		info, err := os.Lstat(full)
		require.NoError(t, err)
		require.Equal(t, harness.Nobody, int(statOf(info).Uid), "an owner is not for sp to change")
		require.NoError(t, os.Chown(full, os.Geteuid(), os.Getegid()))
		require.NotEqual(t, doctor.Error, s.diagnosed(0)[where][0].Result, path)
	}
}

func TestDoctorReportsAParentDirectoryOfAnotherUser(t *testing.T) {
	t.Parallel()
	harness.NeedRoot(t)
	s := newSandbox(t)
	s.mustImport("2026-02-01T12:00:00Z", oneTenant)
	require.NoError(t, os.Chown(s.dir, harness.Nobody, harness.Nobody))
	found := s.diagnosed(6)["parents"][0]
	require.Equal(t, doctor.Error, found.Result)
	require.Contains(t, found.Message, s.dir+": refused as unsafe: it belongs to user 65534")
	require.NoError(t, os.Chown(s.dir, os.Geteuid(), os.Getegid()))
	require.Equal(t, doctor.OK, s.diagnosed(0)["parents"][0].Result)
}

func statOf(info os.FileInfo) *syscall.Stat_t { return info.Sys().(*syscall.Stat_t) }

// TestNoFileOfOursGoesWhereOthersCanReplaceIt holds one rule for all that sp writes elsewhere.
func TestNoFileOfOursGoesWhereOthersCanReplaceIt(t *testing.T) {
	t.Parallel()
	harness.NeedRoot(t)
	s := newSandbox(t)
	s.mustImport("2026-02-01T12:00:00Z", oneTenant)
	for name, prepare := range map[string]func(dir string) error{
		"theirs":     func(dir string) error { return os.Chown(dir, harness.Nobody, harness.Nobody) },
		"everybodys": func(dir string) error { return os.Chmod(dir, 0o777) },
	} {
		dir := filepath.Join(s.dir, name)
		require.NoError(t, os.Mkdir(dir, 0o755))
		require.NoError(t, prepare(dir))
		for _, line := range [][]string{{"backup", dir + "/b"}, {"export", "--path", dir + "/c"}, {"export", "--force", "--path", dir + "/deeper/c"}, {"export", "--check", "--path", dir + "/c"}} {
			o := s.run(line...)
			require.Equal(t, 6, o.exit, "%v: %s", line, o.stderr)
			require.Contains(t, o.stderr, "refused as unsafe", line)
		}
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, entries, "a .gitignore is made there neither")
	}
	s.must("backup", s.dir+"/b")
	s.must("export", "--path", s.dir+"/ours/c")
}

package project

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// umaskVariable makes the test binary act under another umask, which belongs to
// the whole process.
const umaskVariable = "PROJECT_TEST_UMASK"

func TestMain(m *testing.M) {
	if umask, ok := os.LookupEnv(umaskVariable); ok {
		os.Exit(makeUnder(umask, os.Args[1]))
	}
	os.Exit(m.Run())
}

// makeUnder makes a directory and readies an export in dir.
func makeUnder(umask, dir string) int {
	mask, err := strconv.ParseUint(umask, 8, 32)
	syscall.Umask(int(mask))
	if err == nil {
		_, _, err = Make(filepath.Join(dir, "a", "b", Name))
	}
	if err == nil {
		_, err = IgnoreExport(context.Background(), Git{}, filepath.Join(dir, "c", "d", "copy.json"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// tempDir is t.TempDir by its real path.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	return dir
}

func mustMake(t *testing.T, path string) Dir {
	t.Helper()
	d, _, err := Make(path)
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

func skipRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() == 0 {
		t.Skip("root may read and write everything")
	}
}

// realGit is the machine's git with nobody's configuration.
func realGit(t *testing.T) Git {
	t.Helper()
	path, err := exec.LookPath("git")
	if err != nil {
		t.Skip("git is not installed")
	}
	return Git{Path: path, Env: []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
	}}
}

// runGit runs git as its user would and returns what it prints, split at line
// breaks, or with -z at NULs.
func runGit(t *testing.T, git Git, dir string, args ...string) []string {
	t.Helper()
	cmd := exec.Command(git.Path, args...)
	cmd.Dir, cmd.Env = dir, git.Env
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "git %s: %s", args, out)
	ending := "\n"
	if slices.Contains(args, "-z") {
		ending = "\x00"
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return string(r) == ending })
}

// workTree makes an empty work tree.
func workTree(t *testing.T, git Git) string {
	t.Helper()
	dir := tempDir(t)
	runGit(t, git, dir, "init", "-q")
	return dir
}

// untracked lists what `git add --all` would take, relative to dir.
func untracked(t *testing.T, git Git, dir string) []string {
	t.Helper()
	return runGit(t, git, dir, "ls-files", "-z", "--others", "--exclude-standard")
}

// fakeGit is a program in git's place.
func fakeGit(t *testing.T, script string) Git {
	t.Helper()
	path := filepath.Join(t.TempDir(), "git")
	// A child of another test that is being started while the file is open would have it open for
	// writing, too, and nothing executes what somebody writes (ETXTBSY).
	syscall.ForkLock.RLock()
	err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755)
	syscall.ForkLock.RUnlock()
	require.NoError(t, err)
	return Git{Path: path, Env: []string{"PATH=/usr/bin:/bin"}}
}

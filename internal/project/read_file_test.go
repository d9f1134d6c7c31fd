package project

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadFileReadsWhatIsThere(t *testing.T) {
	t.Parallel()
	d := mustMake(t, filepath.Join(tempDir(t), Name))
	for _, inside := range []string{"credentials.json", "sessions/index.json", "profiles/dev/secrets.json"} {
		text, _, found, err := d.ReadFile(inside)
		require.NoError(t, err, inside)
		require.False(t, found, inside)
		require.Nil(t, text)

		mustWrite(t, filepath.Join(d.Path(), inside), strings.Repeat(" ", maxRead))
		text, _, found, err = d.ReadFile(inside)
		require.NoError(t, err, inside)
		require.True(t, found, inside)
		require.Len(t, text, maxRead, "the limit itself is allowed")
	}
}

func TestReadFileRefusesAndNamesTheRemedy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		put  func(t *testing.T, sessions, file string)
		want string
	}{
		"link": {func(t *testing.T, sessions, file string) {
			mustSymlink(t, mustWrite(t, filepath.Join(mustMkdir(t, sessions), "real.json"), "{}"), file)
		}, "index.json: the file can't be used: it is a symbolic link (put"},
		"dangling link": {func(t *testing.T, sessions, file string) {
			mustMkdir(t, sessions)
			mustSymlink(t, "gone", file)
		}, "symbolic link"},
		"link on the way": {func(t *testing.T, sessions, _ string) {
			mustSymlink(t, filepath.Dir(mustWrite(t, sessions+"-real/index.json", "{}")), sessions)
		}, "sessions: the file can't be used: it is a symbolic link"},
		"fifo": {func(t *testing.T, sessions, file string) {
			mustMkdir(t, sessions)
			require.NoError(t, syscall.Mkfifo(file, 0o600))
		}, "not a regular file (move it away)"},
		"directory":       {func(t *testing.T, _, file string) { mustMkdir(t, file) }, "not a regular file"},
		"file on the way": {func(t *testing.T, sessions, _ string) { mustWrite(t, sessions, "") }, "sessions: the file can't be used: it is not a directory"},
		"too large":       {func(t *testing.T, _, file string) { mustWrite(t, file, strings.Repeat(" ", maxRead+1)) }, "larger than 16 MiB"},
		"another's":       {func(t *testing.T, _, file string) { giveAway(t, mustWrite(t, file, "{}")) }, "belongs to user 65534 (run as that user"},
		"another's directory": {func(t *testing.T, sessions, file string) {
			mustWrite(t, file, "{}")
			giveAway(t, sessions)
		}, "sessions: the file can't be used: it belongs"},
		"unreadable": {func(t *testing.T, _, file string) {
			skipRoot(t)
			require.NoError(t, os.Chmod(mustWrite(t, file, "{}"), 0))
		}, "permission denied (chmod u+r "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := mustMake(t, filepath.Join(tempDir(t), Name))
			sessions := filepath.Join(d.Path(), "sessions")
			c.put(t, sessions, filepath.Join(sessions, "index.json"))
			text, _, found, err := d.ReadFile("sessions/index.json")
			require.ErrorIs(t, err, ErrUnusable)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, d.Path())
			require.False(t, found)
			require.Nil(t, text)
		})
	}
}

func TestReadFileStaysInside(t *testing.T) {
	t.Parallel()
	d := mustMake(t, filepath.Join(tempDir(t), Name))
	mustWrite(t, filepath.Join(filepath.Dir(d.Path()), "outside"), "secret")
	_, _, found, err := d.ReadFile("../outside")
	require.ErrorIs(t, err, ErrUnusable)
	require.False(t, found)
}

func TestReadFileTakesLessYAML(t *testing.T) {
	t.Parallel()
	d := mustMake(t, filepath.Join(tempDir(t), Name))
	mustWrite(t, filepath.Join(d.Path(), "profiles/dev/profile.yaml"), strings.Repeat("#", maxYAML+1))
	_, _, _, err := d.ReadFile("profiles/dev/profile.yaml")
	require.ErrorIs(t, err, ErrUnusable)
	require.ErrorContains(t, err, "larger than 1 MiB")
}

package project

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// spoiledIgnoreFiles are ways in which .gitignore can't serve.
func spoiledIgnoreFiles() map[string]func(t *testing.T, path string) {
	return map[string]func(t *testing.T, path string){
		"link": func(t *testing.T, path string) {
			mustSymlink(t, mustWrite(t, filepath.Join(filepath.Dir(path), "target"), "*\n"), path)
		},
		"dangling link": func(t *testing.T, path string) { mustSymlink(t, path+".gone", path) },
		"directory":     func(t *testing.T, path string) { mustMkdir(t, path) },
		"fifo":          func(t *testing.T, path string) { require.NoError(t, syscall.Mkfifo(path, 0o600)) },
		"too large":     func(t *testing.T, path string) { mustWrite(t, path, strings.Repeat("#\n", maxRead)) },
		"unreadable": func(t *testing.T, path string) {
			skipRoot(t)
			require.NoError(t, os.Chmod(mustWrite(t, path, "*\n"), 0))
		},
	}
}

func TestRefusedGitignoreIsNamedWithItsRemedy(t *testing.T) {
	t.Parallel()
	for name, remedy := range map[string]string{
		"link": "replace it with a file", "directory": "move it away", "fifo": "move it away", "too large": "larger than 16 MiB",
	} {
		f := ignoreFileIn(tempDir(t))
		spoiledIgnoreFiles()[name](t, string(f))
		_, _, err := f.read()
		require.ErrorContains(t, err, string(f), name)
		require.ErrorContains(t, err, remedy, name)
	}
}

func TestPlaceKeepsTheFileOfWhoWasFirst(t *testing.T) {
	t.Parallel()
	f := ignoreFileIn(tempDir(t))
	mustWrite(t, string(f), "theirs\n")
	require.NoError(t, f.place("ours"))
	require.Equal(t, "theirs\n", mustRead(t, string(f)))
}

func TestReadOnlyGitignoreIsReported(t *testing.T) {
	t.Parallel()
	skipRoot(t)
	d := Dir{path: mustMkdir(t, filepath.Join(tempDir(t), Name))}
	require.NoError(t, os.Chmod(mustWrite(t, string(d.ignoreFile()), "tenants.json\n"), 0o400))
	_, err := d.EnsureIgnored(t.Context(), Git{})
	require.ErrorIs(t, err, ErrExposed)
	require.ErrorContains(t, err, string(d.ignoreFile()))
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	for before, after := range map[string]string{
		"":              "/x\n",
		"a\n":           "a\n/x\n",
		"a":             "a\n/x\n",
		"a\r\n":         "a\r\n/x\n",
		"a\\ ":          "a\\ \n/x\n",
		"\xff\xfea\x00": "\xff\xfea\x00\n/x\n",
	} {
		f := ignoreFileIn(tempDir(t))
		require.NoError(t, os.Chmod(mustWrite(t, string(f), before), 0o640))
		require.NoError(t, f.append(before, "/x"))
		require.Equal(t, after, mustRead(t, string(f)))
		require.Equal(t, os.FileMode(0o640), modeOf(t, string(f)))
	}
}

func TestAppendNeverShortensWhatGrewMeanwhile(t *testing.T) {
	t.Parallel()
	f := ignoreFileIn(tempDir(t))
	mustWrite(t, string(f), "a\nanother program's\n")
	require.NoError(t, f.append("a\n", "/x"))
	require.Equal(t, "a\nanother program's\n/x\n", mustRead(t, string(f)))
}

func TestAppendDoesNotFollowALink(t *testing.T) {
	t.Parallel()
	f := ignoreFileIn(tempDir(t))
	target := mustWrite(t, string(f)+".target", "kept")
	mustSymlink(t, target, string(f))
	require.ErrorIs(t, f.append("", "/x"), ErrExposed)
	require.Equal(t, "kept", mustRead(t, target))
}

func TestCovers(t *testing.T) {
	t.Parallel()
	const rule = "/tenants.json*"
	for text, want := range map[string]bool{
		"*":                                    true,
		"*\n":                                  true,
		"*\r\n":                                true,
		"*  \n":                                true,
		"\uFEFF*\n":                            true,
		strings.Join(ignored, "\n"):            true,
		rule:                                   true,
		"x\n" + rule + "  \ny":                 true,
		"*\n!.gitignore\n!profiles/\n":         true,
		"!tenants.json\n*":                     true,
		"*\n!tenants.json\n*":                  true,
		"*\n\\!tenants.json":                   true,
		"":                                     false,
		"#*":                                   false,
		" *":                                   false,
		"/*":                                   false,
		"*.json":                               false,
		"*\n!tenants.json":                     false,
		"*\n!*":                                false,
		"*\n!/profiles/*/*\n":                  false,
		"*\n!README.md":                        false, // not known to be harmless
		rule + "\n!tenants.json\n":             false,
		strings.Join(ignored, "\n") + "\n!*.x": false,
	} {
		require.Equal(t, want, covers(text, rule), "%q", text)
	}
}

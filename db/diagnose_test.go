package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/harness"
)

func init() {
	// try PATH: reads and changes, and tells what is in the way of each.
	roles["try"] = func(args []string) error {
		path := args[0]
		for _, what := range []func() error{
			func() error {
				d, err := Open(context.Background(), path, hasty)
				if err != nil {
					return err
				}
				read, err := d.Read(context.Background())
				if err == nil {
					read.Close()
				}
				return errors.Join(err, d.Close())
			},
			func() error {
				d, err := Open(context.Background(), path, hasty)
				if err != nil {
					return err
				}
				return errors.Join(addOne(context.Background(), d), d.Close())
			},
		} {
			err := Diagnose(path, what())
			if err == nil {
				fmt.Println("done")
				continue
			}
			fmt.Println(err)
		}
		return nil
	}
}

// mustTry is what a user who is not root is told, of reading and of changing.
func mustTry(t *testing.T, path string) string {
	t.Helper()
	cmd := harness.InRole(t.Context(), "try", path)
	cmd.Path = harness.CopyProgram(t, os.Args[0])
	if os.Getuid() == 0 {
		harness.AsNobody(cmd)
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

// mustGive makes a registry the user's who tries it.
func mustGive(t *testing.T, paths ...string) {
	t.Helper()
	if os.Getuid() == 0 {
		for _, path := range paths {
			require.NoError(t, os.Chown(path, harness.Nobody, harness.Nobody))
		}
	}
}

// TestTheSystemsRefusalIsNamedWithWhatHelps: SQLite says "unable to open database file"
// to all of these, or nothing.
func TestTheSystemsRefusalIsNamedWithWhatHelps(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		spoil func(t *testing.T, path string)
		want  string // PATH and DIR stand for what they are
	}{
		"nothing": {func(*testing.T, string) {}, "done\ndone\n"},
		"a file that can't be read": {
			func(t *testing.T, path string) { require.NoError(t, os.Chmod(path, 0o000)) },
			"PATH: permission denied (chmod 600 PATH)\nPATH: permission denied (chmod 600 PATH)\n",
		},
		"a file that can't be written": {
			func(t *testing.T, path string) { require.NoError(t, os.Chmod(path, 0o400)) },
			"done\nregistry: read-only: PATH: permission denied (chmod 600 PATH) (SQLite 8)\n",
		},
		"a directory that can't be entered": {
			func(t *testing.T, path string) { require.NoError(t, os.Chmod(filepath.Dir(path), 0o600)) },
			"PATH: permission denied (chmod u+rwx DIR)\nPATH: permission denied (chmod u+rwx DIR)\n",
		},
		"a directory that can't be written": {
			func(t *testing.T, path string) { require.NoError(t, os.Chmod(filepath.Dir(path), 0o500)) },
			"done\nread-only: DIR: permission denied (chmod u+rwx DIR)\n",
		},
		"a journal that can't be read": {
			func(t *testing.T, path string) {
				mustSpill(t, path)
				mustGive(t, path+"-journal")
				require.NoError(t, os.Chmod(path+"-journal", 0o000))
			},
			"PATH-journal: permission denied (chmod 600 PATH-journal)\nPATH-journal: permission denied (chmod 600 PATH-journal)\n",
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			path := mustCreate(t)
			dir := filepath.Dir(path)
			require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
			mustBeFree(t, dir) // the lock file is there
			mustGive(t, dir, path, path+"-journal", filepath.Join(dir, lockName), filepath.Join(dir, PlaceName))
			c.spoil(t, path)
			got := mustTry(t, path)
			require.NoError(t, os.Chmod(dir, 0o700))
			require.Equal(t, strings.NewReplacer("PATH", path, "DIR", dir).Replace(c.want), got)
		})
	}
}

func TestADirectoryThatIsGoneIsNamed(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	d := mustOpen(t, path, hasty)
	require.NoError(t, os.RemoveAll(filepath.Dir(path)))
	_, err := d.Read(t.Context())
	require.ErrorIs(t, Diagnose(path, err), ErrMissing)
	_, err = Open(t.Context(), path, hasty)
	require.ErrorIs(t, err, ErrMissing)
}

func TestTooManyOpenFilesAreNamed(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, denied("/x", unix.EMFILE), "/x: input/output trouble: too many files are open (ulimit -n 1024)")
	require.ErrorIs(t, denied("/x", unix.EROFS), ErrReadOnly)
	require.Equal(t, io.EOF, denied("/x", io.EOF))
}

package db

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// mustReplace puts another registry, of revision 100, at path, as mv does.
func mustReplace(t *testing.T, path string) {
	t.Helper()
	other := mustCreate(t)
	harness.Mess(t, other, "UPDATE registry_meta SET revision = 100")
	text, err := os.ReadFile(other)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path+".other", text, 0o600))
	require.NoError(t, os.Rename(path+".other", path))
	mustClaim(t, path)
}

// A file that is replaced while it is read is read to the end as it was (fault 26).
func TestAReadOfAReplacedFileIsOfTheOldOne(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	read, err := mustOpen(t, path, patient).Read(t.Context())
	require.NoError(t, err)
	defer read.Close()
	mustReplace(t, path)
	revision := -1
	require.NoError(t, read.QueryRowContext(t.Context(), "SELECT revision FROM registry_meta").Scan(&revision))
	require.Equal(t, 0, revision)
	require.Equal(t, 100, mustRevision(t, path))
}

// A change of a file that is replaced meanwhile would be acknowledged and gone.
func TestAChangeOfAReplacedFileIsRefused(t *testing.T) {
	t.Parallel()
	const change = "UPDATE registry_meta SET revision = 7"
	for when, replaceFirst := range map[string]bool{"before the change": true, "before the commit": false} {
		path := mustCreate(t)
		w, err := mustOpen(t, path, patient).Write(t.Context())
		require.NoError(t, err)
		if replaceFirst {
			mustReplace(t, path)
		}
		_, err = w.ExecContext(t.Context(), change)
		require.Equal(t, replaceFirst, err != nil)
		if err == nil {
			mustReplace(t, path)
			err = w.Commit()
		}
		require.ErrorIs(t, Explain(err), ErrReplaced, when)
		require.NoError(t, w.Close())
		require.Equal(t, 100, mustRevision(t, path), when)
		require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
		require.Equal(t, 101, mustRevision(t, path), when)
	}

	path := mustCreate(t)
	w, err := mustOpen(t, path, patient).Write(t.Context())
	require.NoError(t, err)
	require.NoError(t, os.Rename(path, path+".away"))
	require.ErrorIs(t, w.Commit(), ErrReplaced)
	require.NoError(t, w.Close())
}

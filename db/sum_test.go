package db

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// damaged is a registry in which half of an index is gone, as TestASmallFileIsChecked has it.
func damaged(t *testing.T) string {
	t.Helper()
	path := mustCreate(t)
	harness.Mess(t, path, "INSERT INTO tenants VALUES (1, 'a', 'a', NULL, NULL, NULL, NULL, NULL, 'local', 0, NULL, NULL, '', 1, 1)", "PRAGMA writable_schema = 1",
		"UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'sessions_profile') WHERE name = 'tenants_name'")
	return path
}

// read reads the registry at path once, and returns what is wrong with it.
func read(t *testing.T, path string) error {
	t.Helper()
	r, err := mustOpen(t, path, Options{Now: clock, Relied: []string{"tenants"}}).Read(t.Context())
	if err == nil {
		r.Close()
	}
	return err
}

// Only what the last change left is not checked again. A wrong sum has no other effect than none.
func TestASumVouchesForExactlyTheseBytes(t *testing.T) {
	t.Parallel()
	path := damaged(t)
	require.ErrorIs(t, read(t, path), ErrDamaged, "without a sum")

	writeSum(path)
	require.NoError(t, read(t, path), "then nothing was checked")

	said := mustReadFile(t, path+sumSide)
	for what, sum := range map[string]string{
		"empty": "", "of another file": "schema 10, 1 bytes, crc32 00000000\n", "of another schema": "schema 9" + string(said[len("schema 10"):]),
		"with more behind it": string(said) + "x",
	} {
		require.NoError(t, os.WriteFile(path+sumSide, []byte(sum), 0o600))
		require.ErrorIs(t, read(t, path), ErrDamaged, what)
	}
}

// Whoever writes into the file beside sp leaves a sum that is not its own.
func TestWhatAnotherProgramWroteIsChecked(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
	require.True(t, isAsChanged(path))
	harness.Mess(t, path, "UPDATE registry_meta SET synced_at = synced_at || ' '")
	require.False(t, isAsChanged(path))
	require.NoError(t, read(t, path), "it is whole all the same")
	require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
	require.True(t, isAsChanged(path), "the next change has checked it")
}

// A change that is too large to be checked whole leaves no sum, and an older one goes.
func TestALargeFileHasNoSum(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	writeSum(path)
	harness.Mess(t, path, "INSERT INTO files (path, previous, current, tenants_revision) VALUES ('/large', '', hex(zeroblob(200000)), 0)")
	require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
	require.NoFileExists(t, path+sumSide)
}

// What stands at the sum's place, a file of another name or a link, is not written through.
func TestASumIsAFileOfItsOwn(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	theirs := path + ".theirs"
	for what, put := range map[string]func(old, new string) error{"another name": os.Link, "a link": os.Symlink} {
		require.NoError(t, os.WriteFile(theirs, []byte("theirs"), 0o644))
		_ = os.Remove(path + sumSide)
		require.NoError(t, put(theirs, path+sumSide))
		require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)), what)
		require.Equal(t, "theirs", string(mustReadFile(t, theirs)), what)
		info, err := os.Lstat(path + sumSide)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode(), what)
	}
}

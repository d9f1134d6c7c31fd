package workspace_test

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// everything is all that a refusal must not change: the rows that there are, and
// each file in the directory with its inode, mode, time and content.
func (h house) everything(t testing.TB) string {
	t.Helper()
	var text strings.Builder
	h.view(t, func(view *registry.View) {
		state, err := view.State(t.Context())
		require.NoError(t, err)
		fmt.Fprintln(&text, state.Revision, state.TenantsRevision, state.Document.SyncedAt)
		for profile, err := range view.Profiles(t.Context(), nil, registry.Page{}) {
			require.NoError(t, err)
			fmt.Fprintln(&text, profile)
		}
	})
	fmt.Fprintln(&text, h.remembered(t, workspace.TrackedName), h.encoded(t))
	for _, name := range names(t, h.dir) {
		if name != "sp.db-journal" { // which SQLite rolls back when it comes to it
			fmt.Fprintln(&text, name, fingerprint(t, filepath.Join(h.dir, name), name == "sp.db" || name == ".lock"))
		}
	}
	return text.String()
}

// fingerprint tells a file from any other, or only its mode where the rest may change.
func fingerprint(t testing.TB, path string, mayChange bool) string {
	t.Helper()
	info, err := os.Lstat(path)
	require.NoError(t, err)
	if mayChange {
		return info.Mode().String()
	}
	content := ""
	if info.Mode().IsRegular() {
		content = hashOf(mustRead(t, path))
	}
	return fmt.Sprint(info.Mode(), info.Sys().(*syscall.Stat_t).Ino, info.ModTime().UnixNano(), content)
}

// mustMess changes the registry behind its back.
func (h house) mustMess(t testing.TB, statements ...string) {
	t.Helper()
	conn, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: h.registry()}).String())
	require.NoError(t, err)
	conn.SetMaxOpenConns(1)
	for _, s := range statements {
		_, err := conn.Exec(s)
		require.NoError(t, err)
	}
	require.NoError(t, conn.Close())
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func mustRead(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

func mustWrite(t testing.TB, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func mustStat(t testing.TB, path string) os.FileInfo {
	t.Helper()
	info, err := os.Lstat(path)
	require.NoError(t, err)
	return info
}

func names(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

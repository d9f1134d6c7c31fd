package torture

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// TestADestroyedFirstSectorIsRefusedAndCanBeRestored (fault 22, see "Not promised"): a
// registry whose first sector is gone, with the journal that could restore it, is taken
// for nobody's; a backup takes its place, and so does a copy that SQLite has mended.
func TestADestroyedFirstSectorIsRefusedAndCanBeRestored(t *testing.T) {
	sized(t, 1, 1)
	t.Parallel()
	p := newPlace(t)
	p.settle()
	said := p.Must("export", "-")
	backup, copied := filepath.Join(p.Dir, "backup"), filepath.Join(p.Dir, "copy")
	p.Must("backup", backup)
	require.NoError(t, harness.Interrupt(p.Store("sp.db"), "CREATE TABLE more (x)", harness.Grow)) // which changes the first page, so that the journal has it
	whole := mustRead(t, p.Store("sp.db"))
	remains := append(bytes.Repeat([]byte{0xA5}, sector), whole[sector:]...)
	journal := mustRead(t, p.Store("sp.db-journal"))
	for path, data := range map[string][]byte{p.Store("sp.db"): remains, copied: remains, copied + "-journal": journal} {
		require.NoError(t, os.WriteFile(path, data, 0o600))
	}

	o := p.Run("tenant", "list")
	require.Equal(t, 6, o.Exit)
	require.Contains(t, o.Stderr, "not a registry of sp")
	require.Equal(t, 6, p.Run("restore", copied, "-y").Exit, "SQLite is kept from it")
	require.Equal(t, remains, mustRead(t, p.Store("sp.db")))
	require.Equal(t, journal, mustRead(t, p.Store("sp.db-journal")))

	p.Must("restore", backup, "-y")
	require.Equal(t, said, p.Must("export", "-"))
	kept, err := filepath.Glob(p.Store("sp.db.bak-restore-*Z"))
	require.NoError(t, err)
	require.Len(t, kept, 1)
	require.Equal(t, remains, mustRead(t, kept[0]))
	require.Equal(t, journal, mustRead(t, kept[0]+"-journal"))

	require.NoError(t, playBack(t, copied))
	p.Must("tenant", "edit", "a", "--region", "x")
	p.Must("restore", copied, "-y")
	require.Equal(t, said, p.Must("export", "-"))
}

// playBack opens a database where it is, as any program of SQLite does; what lies
// beside it is played back.
func playBack(t *testing.T, path string) error {
	t.Helper()
	conn := harness.OpenSQLite(t, path)
	defer func() { _ = conn.Close() }()
	var tables int
	return conn.QueryRow("SELECT COUNT(*) FROM sqlite_schema").Scan(&tables)
}

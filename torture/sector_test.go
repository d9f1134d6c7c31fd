package torture

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestADestroyedFirstSectorIsRefusedAndCanBeRestored (fault 22, see "Not promised"): a
// registry whose first sector is gone, with the journal that could restore it, is taken
// for nobody's; a backup takes its place, and so does a copy that SQLite has mended.
func TestADestroyedFirstSectorIsRefusedAndCanBeRestored(t *testing.T) {
	sized(t, 1, 1)
	t.Parallel()
	p := newPlace(t)
	p.settle()
	said := p.must("export", "-")
	backup, copied := filepath.Join(p.dir, "backup"), filepath.Join(p.dir, "copy")
	p.must("backup", backup)
	interrupt(t, p.store("sp.db"), "CREATE TABLE more (x)") // which changes the first page, so that the journal has it
	whole := mustRead(t, p.store("sp.db"))
	remains := append(bytes.Repeat([]byte{0xA5}, sector), whole[sector:]...)
	journal := mustRead(t, p.store("sp.db-journal"))
	for path, data := range map[string][]byte{p.store("sp.db"): remains, copied: remains, copied + "-journal": journal} {
		require.NoError(t, os.WriteFile(path, data, 0o600))
	}

	o := p.run("tenant", "list")
	require.Equal(t, 6, o.exit)
	require.Contains(t, o.stderr, "not a registry of sp")
	require.Equal(t, 6, p.run("restore", copied, "-y").exit, "SQLite is kept from it")
	require.Equal(t, remains, mustRead(t, p.store("sp.db")))
	require.Equal(t, journal, mustRead(t, p.store("sp.db-journal")))

	p.must("restore", backup, "-y")
	require.Equal(t, said, p.must("export", "-"))
	kept, err := filepath.Glob(p.store("sp.db.bak-restore-*Z"))
	require.NoError(t, err)
	require.Len(t, kept, 1)
	require.Equal(t, remains, mustRead(t, kept[0]))
	require.Equal(t, journal, mustRead(t, kept[0]+"-journal"))

	require.NoError(t, playBack(t, copied))
	p.must("tenant", "edit", "a", "--region", "x")
	p.must("restore", copied, "-y")
	require.Equal(t, said, p.must("export", "-"))
}

// playBack opens a database where it is, as any program of SQLite does; what lies
// beside it is played back.
func playBack(t *testing.T, path string) error {
	t.Helper()
	conn := mustOpenRaw(t, path)
	defer func() { _ = conn.Close() }()
	var tables int
	return conn.QueryRow("SELECT COUNT(*) FROM sqlite_schema").Scan(&tables)
}

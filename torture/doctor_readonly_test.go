package torture

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// TestDoctorLooksWhereNothingCanBeWritten: to its owner the directory is read-only. It is
// told, nothing is changed, and what --fix could not mend is an error.
func TestDoctorLooksWhereNothingCanBeWritten(t *testing.T) {
	sized(t, 1, 1)
	p := readOnlyPlace(t)
	o := p.Run("doctor")
	require.Zero(t, o.Exit, o.Stdout)
	require.Contains(t, o.Stdout, "\nwarning\tregistry-file\t"+p.Store("sp.db")+": it can be read, but not changed ")
	require.Contains(t, o.Stdout, "\nwarning\texport\tbehind: ")
	require.Contains(t, o.Stdout, "\nok\tintegrity\t")
	o = p.Run("doctor", "--fix")
	require.Equal(t, 6, o.Exit, o.Stdout)
	require.Contains(t, o.Stdout, "\nerror\texport\tbehind: ")
	require.Contains(t, o.Stdout, "; it could not be mended: ")

	require.NoError(t, os.Chmod(p.Store(""), 0o700))
	o = p.Run("doctor", "--fix")
	require.Zero(t, o.Exit, o.Stdout)
	require.Contains(t, o.Stdout, "\nfixed\texport\t")
	require.Contains(t, p.Must("doctor"), "\nok\texport\tcurrent\n")
}

// TestDoctorTellsOfAHotJournalThatCantBeRolledBack: reading would be wrong, so that
// doctor does not, until the directory can be written again.
func TestDoctorTellsOfAHotJournalThatCantBeRolledBack(t *testing.T) {
	sized(t, 1, 1)
	p := readOnlyPlace(t)
	require.NoError(t, os.Chmod(p.Store(""), 0o700))
	require.NoError(t, harness.Interrupt(p.Store("sp.db"), harness.Grow))
	require.NoError(t, os.Chown(p.Store("sp.db-journal"), harness.Nobody, harness.Nobody))
	require.NoError(t, os.Chmod(p.Store(""), 0o500))
	o := p.Run("doctor", "--fix")
	require.Equal(t, 6, o.Exit, o.Stdout)
	require.Regexp(t, `\nerror\tjournal\t.*(read-only|denied)`, o.Stdout)
	require.FileExists(t, p.Store("sp.db-journal"))

	require.NoError(t, os.Chmod(p.Store(""), 0o700))
	require.Contains(t, p.Must("doctor"), "\ninfo\tjournal\t"+p.Store("sp.db-journal")+": left by a change that was interrupted; it was rolled back just now")
	require.NoFileExists(t, p.Store("sp.db-journal"))
}

// readOnlyPlace is a registry, its export behind, that belongs to another user than
// root, as whom sp runs there, and who may only read its directory.
func readOnlyPlace(t *testing.T) place {
	t.Helper()
	harness.NeedRoot(t)
	p := newPlace(t)
	harness.Open(t, p.Dir)
	require.NoError(t, os.Chown(p.Dir, harness.Nobody, harness.Nobody))
	require.NoError(t, os.WriteFile(filepath.Join(p.Dir, "many.json"), []byte(manyTenants(300)), 0o644))
	r := p.guest()
	r.Must("import", "many.json")
	r.Must("export")
	r.Must("tenant", "edit", "t1", "--region", "iad", "--no-export")
	require.NoError(t, os.Chmod(p.Store(""), 0o500))
	t.Cleanup(func() { _ = os.Chmod(p.Store(""), 0o700) })
	return r
}

// guest is the place with sp run as nobody, from where that user can reach it.
func (p place) guest() place {
	p.SP, p.Guest = harness.CopyProgram(p.T, p.SP), true
	return p
}

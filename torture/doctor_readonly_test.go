package torture

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDoctorLooksWhereNothingCanBeWritten: to its owner the directory is read-only. It is
// told, nothing is changed, and what --fix could not mend is an error.
func TestDoctorLooksWhereNothingCanBeWritten(t *testing.T) {
	sized(t, 1, 1)
	p := readOnlyPlace(t)
	o := p.run("doctor")
	require.Zero(t, o.exit, o.stdout)
	require.Contains(t, o.stdout, "\nwarning\tregistry-file\t"+p.store("sp.db")+": it can be read, but not changed ")
	require.Contains(t, o.stdout, "\nwarning\texport\tbehind: ")
	require.Contains(t, o.stdout, "\nok\tintegrity\t")
	o = p.run("doctor", "--fix")
	require.Equal(t, 6, o.exit, o.stdout)
	require.Contains(t, o.stdout, "\nerror\texport\tbehind: ")
	require.Contains(t, o.stdout, "; it could not be mended: ")

	require.NoError(t, os.Chmod(p.store(""), 0o700))
	o = p.run("doctor", "--fix")
	require.Zero(t, o.exit, o.stdout)
	require.Contains(t, o.stdout, "\nfixed\texport\t")
	require.Contains(t, p.must("doctor"), "\nok\texport\tcurrent\n")
}

// TestDoctorTellsOfAHotJournalThatCantBeRolledBack: reading would be wrong, so that
// doctor does not, until the directory can be written again.
func TestDoctorTellsOfAHotJournalThatCantBeRolledBack(t *testing.T) {
	sized(t, 1, 1)
	p := readOnlyPlace(t)
	require.NoError(t, os.Chmod(p.store(""), 0o700))
	mustLeaveHotJournal(t, p)
	require.NoError(t, os.Chmod(p.store(""), 0o500))
	o := p.run("doctor", "--fix")
	require.Equal(t, 6, o.exit, o.stdout)
	require.Regexp(t, `\nerror\tjournal\t.*(read-only|denied)`, o.stdout)
	require.FileExists(t, p.store("sp.db-journal"))

	require.NoError(t, os.Chmod(p.store(""), 0o700))
	require.Contains(t, p.must("doctor"), "\ninfo\tjournal\t"+p.store("sp.db-journal")+": left by a change that was interrupted; it was rolled back just now")
	require.NoFileExists(t, p.store("sp.db-journal"))
}

// readOnlyPlace is a registry, its export behind, that belongs to another user than
// root, as whom sp runs there, and who may only read its directory.
func readOnlyPlace(t *testing.T) guest {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "only root can be another user")
	}
	p := newPlace(t)
	// The program is copied to where that user can reach it.
	text, err := os.ReadFile(p.sp)
	require.NoError(t, err)
	p.sp = filepath.Join(p.dir, "sp")
	require.NoError(t, os.WriteFile(p.sp, text, 0o755))
	require.NoError(t, os.Chmod(filepath.Dir(p.dir), 0o755))
	require.NoError(t, os.Chown(p.dir, nobody, nobody))
	r := guest{p}
	var tenants []string
	for i := range 300 {
		tenants = append(tenants, fmt.Sprintf(`{"id": "t%d", "name": "t%d", "database_url": "postgres://u:s3cret@h/t%d"}`, i, i, i))
	}
	document := fmt.Sprintf(`{"synced_at": "2026-02-01T10:00:00Z", "tenants": [%s]}`, strings.Join(tenants, ","))
	require.NoError(t, os.WriteFile(filepath.Join(p.dir, "many.json"), []byte(document), 0o644))
	r.must("import", "many.json")
	r.must("export")
	r.must("tenant", "edit", "t1", "--region", "iad", "--no-export")
	require.NoError(t, os.Chmod(p.store(""), 0o500))
	t.Cleanup(func() { _ = os.Chmod(p.store(""), 0o700) })
	return r
}

// guest is a place in which sp runs as nobody.
type guest struct{ place }

func (r guest) as(cmd *exec.Cmd) *exec.Cmd {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return cmd
}

func (r guest) run(args ...string) outcome {
	r.t.Helper()
	o, err := runToEnd(r.as(r.command(args...)))
	require.NoError(r.t, err)
	return o
}

func (r guest) must(args ...string) string {
	r.t.Helper()
	o := r.run(args...)
	require.Zero(r.t, o.exit, "sp %v: %s%s", args, o.stdout, o.stderr)
	return o.stdout
}

// mustLeaveHotJournal kills a program of SQLite in the middle of a change that is
// too large for its cache, so that part of it is in the file.
func mustLeaveHotJournal(t *testing.T, r guest) {
	t.Helper()
	cmd := r.as(exec.Command(need(t, "sqlite3"), r.store("sp.db")))
	cmd.Dir = r.dir
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = io.WriteString(stdin, "PRAGMA cache_size = 1;\nBEGIN IMMEDIATE;\nUPDATE registry_meta SET revision = revision + 1;\nUPDATE tenants SET region = hex(randomblob(1000));\nSELECT 'changed';\n")
	require.NoError(t, err)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "changed\n", line)
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait() // it was killed
	require.FileExists(t, r.store("sp.db-journal"))
}

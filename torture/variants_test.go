package torture

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// A harness that can't turn red proves nothing (bar B16). Each of these programs breaks
// one promise, and each test asks the bar that is to see it; the good program passes
// the same bar here or in the bar's own test.

// TestPowerCutsSeeASyncThatIsMissing is why it is not NORMAL, which does not sync the journal that
// a commit emptied, and why directories are synced. FULL would do for a journal that stays.
func TestPowerCutsSeeASyncThatIsMissing(t *testing.T) {
	sized(t, 1, 1)
	harness.NeedStrace(t)
	sync := func(file, old string) []change { return []change{{file, old, "error(nil)"}} }
	for _, v := range []struct {
		variant
		shape  string
		judged int // of the states before the acknowledgement: most show it after
		small  bool
	}{
		{variant{"NORMAL", []change{{"db/dsn.go", `{"EXTRA"}`, `{"NORMAL"}`}}}, "profile create", 5, true},
		{variant{"the directory of an export", []change{{"internal/place/waiting.go", "SyncDir(filepath.Dir(w.to)) // before", "error(nil) // before"}}}, "create, exported", 5, true},
		{variant{"the directory of a copy, before the commit", sync("internal/place/waiting.go", "SyncDir(filepath.Dir(path))")}, "copy", 1000, false},
		{variant{"the export itself", sync("internal/place/waiting.go", "file.Sync()")}, "create, exported", 5, false},
		{variant{"the directory of a new registry", []change{{"db/create.go", "place.SyncDir(filepath.Dir(path))", "error(nil)"}}}, "first init", 5, false},
	} {
		if !v.small && *size == "small" {
			continue
		}
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			sc := newScene(t, shapeNamed(v.shape), v.build(t))
			cuts := sc.cuts(v.judged)
			t.Logf("%s, %s: %s", v.name, v.shape, cuts)
			require.NotEmpty(t, cuts.broken, "no power cut shows it")
		})
	}
}

// TestAnExportIsNotOverwrittenByAnOlderOne delays one command at the rename of its
// export and lets another follow (fault 34). Without the lock the export lacks a tenant,
// or the other sweeps the file that it is about to rename.
func TestAnExportIsNotOverwrittenByAnOlderOne(t *testing.T) {
	sized(t, 1, 1)
	harness.NeedStrace(t)
	t.Run("held", func(t *testing.T) {
		t.Parallel()
		sc := newScene(t, shapeNamed("create, exported"), spPath)
		require.Zero(t, sc.overtake())
		require.Equal(t, sc.Must("export", "-"), sc.text(".systemprompt/tenants.json"))
	})
	t.Run("no lock", func(t *testing.T) {
		t.Parallel()
		none := variant{"no lock", []change{{"db/lock.go", "return unix.Flock(int(file.Fd()), how)", "return nil"}}}
		sc := newScene(t, shapeNamed("create, exported"), none.build(t))
		exit := sc.overtake()
		t.Logf("without the lock the slow command ends with exit %d", exit)
		require.False(t, exit == 0 && sc.Must("export", "-") == sc.text(".systemprompt/tenants.json"), "nothing shows it")
	})
}

// writing tells whether there is a journal with something in it.
func writing(journal string) bool {
	info, err := os.Stat(journal)
	return err == nil && info.Size() > 0
}

// overtake stops a command for two seconds between its commit and its rename, and runs
// another one meanwhile. It returns the exit code of the first.
func (sc *scene) overtake() int {
	sc.T.Helper()
	require.NoError(sc.T, sc.start.layOut(sc.Dir))
	slow := harness.Strace(sc.T, sc.Command("tenant", "create", "--id", "slow", "--name", "slow", "--database-url-file", "url.txt"),
		sc.beside("strace.log"), "-e", "trace=renameat2", "-e", "inject=renameat2:delay_enter=2000000")
	require.NoError(sc.T, slow.Start())
	committed := func() bool {
		left, err := filepath.Glob(sc.Store(".tenants.json.*.tmp"))
		require.NoError(sc.T, err)
		return len(left) == 1 && !writing(sc.Store("sp.db-journal"))
	}
	require.Eventually(sc.T, committed, time.Minute, time.Millisecond)
	sc.Must("tenant", "create", "--id", "quick", "--name", "quick", "--database-url-file", "url.txt")
	_ = slow.Wait()
	return slow.ProcessState.ExitCode()
}

// TestFilesAreBornPrivate reads off the system calls which mode each file and directory
// has in its first instant, where the caller's umask hides nothing (fault 1).
func TestFilesAreBornPrivate(t *testing.T) {
	sized(t, 1, 1)
	harness.NeedStrace(t)
	t.Run("born so", func(t *testing.T) {
		t.Parallel()
		for _, s := range shapesOf(*size) {
			sc := newScene(t, s, spPath)
			require.Empty(t, sc.bornOpen(), s.name)
		}
	})
	t.Run("made so after", func(t *testing.T) {
		t.Parallel()
		const temporary = "internal/place/leftover.go"
		after := variant{"chmod after", []change{
			{temporary, `"strings"`, `"strings"; "syscall"; "time"`},
			{
				temporary, `return os.CreateTemp(filepath.Dir(path), temporaryPrefix(path)+"*"+temporarySuffix)`,
				`syscall.Umask(0o022)
				file, err := os.OpenFile(filepath.Join(filepath.Dir(path), temporaryPrefix(path)+strconv.FormatInt(time.Now().UnixNano(), 10)+temporarySuffix), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
				if err == nil {
					err = file.Chmod(0o600)
				}
				return file, err`,
			},
		}}
		sc := newScene(t, shapeNamed("create, exported"), after.build(t))
		require.NotEmpty(t, sc.bornOpen(), "nothing shows it")
	})
}

// bornOpen runs the command under umask 000 and lists what is made so that others could
// reach it, if only for an instant.
func (sc *scene) bornOpen() []string {
	sc.T.Helper()
	require.NoError(sc.T, sc.start.layOut(sc.Dir))
	log := sc.beside("strace.log")
	o := sc.Ran(harness.Strace(sc.T, sc.After("umask 0", strings.Fields(sc.shape.steps[0])...), log, "-e", "trace=execve,umask,"+writes))
	require.Zero(sc.T, o.Exit, o.Stderr)
	open, made := harness.BornOpen(string(mustRead(sc.T, log)), sc.SP)
	require.NotZero(sc.T, made, "nothing was made")
	return open
}

// TestASecretThatIsAStringIsSeen runs the registry's own tests on a Secret that holds a
// string, which fmt reads by reflection.
func TestASecretThatIsAStringIsSeen(t *testing.T) {
	sized(t, 1, 1)
	t.Parallel()
	v := variant{"string Secret", []change{
		{"internal/secret/secret.go", "type Secret struct{ f func() string }", "type Secret struct{ f string }"},
		{"internal/secret/secret.go", "return Secret{f: func() string { return s }}", "return Secret{f: s}"},
		{"internal/secret/secret.go", "if s.f == nil {\n\t\treturn \"\"\n\t}\n\treturn s.f()", "return s.f"},
	}}
	out, err := exec.Command("go", "test", "-overlay", v.overlay(t), "-run", "^TestASecretIsNotPrinted$", "../internal/registry").CombinedOutput()
	require.Error(t, err, "nothing shows it: %s", out)
	require.Contains(t, string(out), "shows the secret")
}

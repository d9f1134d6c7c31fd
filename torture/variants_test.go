package torture

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A harness that can't turn red proves nothing (bar B16). Each of these programs breaks
// one promise, and each test asks the bar that is to see it; the good program passes
// the same bar here or in the bar's own test.

// TestPowerCutsSeeASyncThatIsMissing is why it is not NORMAL, which does not sync the journal that
// a commit emptied, and why directories are synced. FULL would do for a journal that stays.
func TestPowerCutsSeeASyncThatIsMissing(t *testing.T) {
	sized(t, 1, 1)
	needStrace(t)
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
	needStrace(t)
	t.Run("held", func(t *testing.T) {
		t.Parallel()
		sc := newScene(t, shapeNamed("create, exported"), spPath)
		require.Zero(t, sc.overtake())
		require.Equal(t, sc.must("export", "-"), sc.text(".systemprompt/tenants.json"))
	})
	t.Run("no lock", func(t *testing.T) {
		t.Parallel()
		none := variant{"no lock", []change{{"db/lock.go", "return unix.Flock(int(file.Fd()), how)", "return nil"}}}
		sc := newScene(t, shapeNamed("create, exported"), none.build(t))
		exit := sc.overtake()
		t.Logf("without the lock the slow command ends with exit %d", exit)
		require.False(t, exit == 0 && sc.must("export", "-") == sc.text(".systemprompt/tenants.json"), "nothing shows it")
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
	sc.t.Helper()
	require.NoError(sc.t, sc.start.layOut(sc.dir))
	slow := sc.command("tenant", "create", "--id", "slow", "--name", "slow", "--database-url-file", "url.txt")
	slow.Path = need(sc.t, "strace")
	slow.Args = append([]string{
		"strace", "-f", "-qq", "-o", sc.beside("strace.log"), "-e", "trace=renameat2", "-e", "inject=renameat2:delay_enter=2000000", sc.sp,
	}, slow.Args[1:]...)
	require.NoError(sc.t, slow.Start())
	committed := func() bool {
		left, err := filepath.Glob(sc.store(".tenants.json.*.tmp"))
		require.NoError(sc.t, err)
		return len(left) == 1 && !writing(sc.store("sp.db-journal"))
	}
	require.Eventually(sc.t, committed, time.Minute, time.Millisecond)
	sc.must("tenant", "create", "--id", "quick", "--name", "quick", "--database-url-file", "url.txt")
	_ = slow.Wait()
	return slow.ProcessState.ExitCode()
}

// TestFilesAreBornPrivate reads off the system calls which mode each file and directory
// has in its first instant, where the caller's umask hides nothing (fault 1).
func TestFilesAreBornPrivate(t *testing.T) {
	sized(t, 1, 1)
	needStrace(t)
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

var (
	bornWith = regexp.MustCompile(`(?:O_CREAT.*|^mkdir.*), 0([0-7]+)\)`)
	maskedBy = regexp.MustCompile(`^umask\(0?([0-7]+)\)`)
)

// bornOpen runs the command under umask 000 and lists what is made so that others could
// reach it, if only for an instant.
func (sc *scene) bornOpen() []string {
	sc.t.Helper()
	require.NoError(sc.t, sc.start.layOut(sc.dir))
	bare := *sc
	bare.sp = sc.beside("unmasked")
	require.NoError(sc.t, os.WriteFile(bare.sp, []byte("#!/bin/sh\numask 0\nexec "+sc.sp+` "$@"`+"\n"), 0o700))
	o, calls := bare.strace("umask,"+writes, sc.shape.steps[0])
	require.Zero(sc.t, o.exit, o.stderr)
	var mask, made uint64
	var found []string
	for _, c := range calls {
		if set := maskedBy.FindStringSubmatch(c.text); set != nil {
			mask, _ = strconv.ParseUint(set[1], 8, 32) // the expression takes digits only
		}
		mode := bornWith.FindStringSubmatch(c.text)
		if mode == nil || c.path == "" {
			continue
		}
		made++
		if bits, _ := strconv.ParseUint(mode[1], 8, 32); bits&^mask&0o077 != 0 {
			found = append(found, c.text)
		}
	}
	require.NotZero(sc.t, made, "nothing was made")
	return found
}

// TestASecretThatIsAStringIsSeen runs the registry's own tests on a Secret that holds a
// string, which fmt reads by reflection.
func TestASecretThatIsAStringIsSeen(t *testing.T) {
	sized(t, 1, 1)
	t.Parallel()
	v := variant{"string Secret", []change{
		{"internal/registry/secret.go", "type Secret struct{ f func() string }", "type Secret struct{ f string }"},
		{"internal/registry/secret.go", "return Secret{f: func() string { return s }}", "return Secret{f: s}"},
		{"internal/registry/secret.go", "if s.f == nil {\n\t\treturn \"\"\n\t}\n\treturn s.f()", "return s.f"},
	}}
	out, err := exec.Command("go", "test", "-overlay", v.overlay(t), "-run", "^TestASecretIsNotPrinted$", "../internal/registry").CombinedOutput()
	require.Error(t, err, "nothing shows it: %s", out)
	require.Contains(t, string(out), "shows the secret")
}

package main

import (
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/harness"
)

// memory is what a script keeps between two of its lines.
type memory struct {
	seen map[string]string // what remember saw, by directory
	lock *os.File          // what hold holds
}

// memoryKey is where a script's values hold its memory.
type memoryKey struct{}

func memoryOf(ts *testscript.TestScript) *memory { return ts.Value(memoryKey{}).(*memory) }

// remember notes the names, modes and contents below a directory, or that there is
// none; unchanged checks that they are the same still.
func remember(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: remember directory")
	}
	memoryOf(ts).seen[args[0]] = harness.Snapshot(ts.MkAbs(args[0]), nil)
}

func unchanged(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] unchanged directory")
	}
	before, ok := memoryOf(ts).seen[args[0]]
	if !ok {
		ts.Fatalf("%s was not remembered", args[0])
	}
	if now := harness.Snapshot(ts.MkAbs(args[0]), nil); (now == before) == neg {
		ts.Fatalf("--- %s before\n%s--- now\n%s", args[0], before, now)
	}
}

// hold takes the lock of a registry's directory, or of a file, as another process
// would, and signs it: `hold DIR WHO`. release gives it back.
func hold(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: hold directory who")
	}
	path := ts.MkAbs(args[0])
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, ".lock")
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	ts.Check(err)
	ts.Defer(func() { _ = file.Close() })
	ts.Check(unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB))
	ts.Check(file.Truncate(0))
	_, err = file.WriteString(args[1] + "\n")
	ts.Check(err)
	memoryOf(ts).lock = file
}

func release(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 || memoryOf(ts).lock == nil {
		ts.Fatalf("usage: release, after hold")
	}
	file := memoryOf(ts).lock
	// By hand: a child that another script is starting has the file open, too.
	ts.Check(unix.Flock(int(file.Fd()), unix.LOCK_UN))
	ts.Check(file.Close())
}

// crash leaves a registry as a change leaves it that was killed before it committed: `crash FILE`.
func crash(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: crash file")
	}
	ts.Check(harness.Interrupt(ts.MkAbs(args[0]), "UPDATE tenants SET name = 'half done ' || id, region = hex(randomblob(1000))"))
}

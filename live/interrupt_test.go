package live

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// interrupt runs a program, which gets SIGINT as soon as a file of its server is there, and
// has to end soon, by the signal's exit code if it was not done: `interrupt FILE PROGRAM
// [ARGUMENT...]`.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: interrupt file program [argument...]")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(os.Getenv(homeVariable), "bin", args[1]), args[2:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), plainEnvironment(ts.Getenv("WORK"))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		if found, _ := filepath.Glob(filepath.Join(placesOf(ts), "*", args[0])); len(found) > 0 {
			break
		}
		select {
		case <-ended:
			ts.Fatalf("it ended before %s was there: %s", args[0], said.String())
		case <-time.After(time.Millisecond):
		}
	}
	ts.Check(cmd.Process.Signal(syscall.SIGINT))
	<-ended
	if exit := cmd.ProcessState.ExitCode(); exit != 130 && exit != 0 {
		ts.Fatalf("exit %d: %s", exit, said.String())
	}
	_, err := ts.Stderr().Write(said.Bytes())
	ts.Check(err)
}

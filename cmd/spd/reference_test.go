package main

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/cli"
)

var update = flag.Bool("update", false, "write docs/reference-spd.md")

const reference = "../../docs/reference-spd.md"

const referencePreface = `Every command of spd, with its arguments and flags. [control-plane.md](control-plane.md) says how to work with them.
` + "`spd help COMMAND`" + ` prints the same in a terminal, and ` + "`spd help --json`" + ` gives the whole tree to programs. This page is
generated: ` + "`make reference`" + ` writes it.
`

// exitMeanings are the exit codes in words; the codes themselves come from the program.
var exitMeanings = map[int]string{
	0:   "The command did what you asked, or spd served until it was told to end.",
	1:   "Something unexpected happened. This is a bug in spd.",
	2:   "The command line is wrong, a value is not allowed, or a question was not answered with yes.",
	3:   "What you named does not exist.",
	4:   "It exists already or is in use: a region, a port, or the directory by another spd.",
	6:   "spd can't use the directory or a file: missing, open to others, corrupt, newer, replaced, read-only or full.",
	7:   "Another command held the lock for too long.",
	8:   "The change was made, but something after it failed, such as writing the answer.",
	9:   "A PostgreSQL server refused or did not answer, or there is none to start.",
	128: "Signal n ended the command. Nothing is half done.",
}

// TestReference fails if docs/reference-spd.md is not what the command tree says; -update writes it.
func TestReference(t *testing.T) {
	t.Parallel()
	want := program().Reference("Reference of spd", referencePreface, exitMeanings)
	if *update {
		require.NoError(t, os.WriteFile(reference, []byte(want), 0o644))
	}
	got, err := os.ReadFile(reference)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "docs/reference-spd.md is out of date: make reference")
}

// TestReferenceExplainsEveryExitCode: a new exit code needs its line in the table.
func TestReferenceExplainsEveryExitCode(t *testing.T) {
	t.Parallel()
	for _, exit := range program().Describe(&cli.Command{}).Exits {
		require.NotEmpty(t, exitMeanings[exit.Exit], "exit %d", exit.Exit)
	}
}

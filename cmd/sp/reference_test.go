package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/cli"
)

const reference = "../../docs/reference.md"

const referencePreface = `Every command of sp, with its arguments and flags. ` + "`sp help COMMAND`" + ` prints the same in a terminal, and
` + "`sp help --json`" + ` gives the whole tree to programs. This page is generated: ` + "`make reference`" + ` writes it.
`

// exitMeanings are the exit codes in words; the codes themselves come from the program.
var exitMeanings = map[int]string{
	0:   "The command did what you asked.",
	1:   "Something unexpected happened. This is a bug in sp.",
	2:   "The command line is wrong, a value is not allowed, or a question was not answered with yes.",
	3:   "What you named does not exist.",
	4:   "It exists already, is in use, or somebody else changed it.",
	5:   "Nothing to resolve: no profile, no tenant selected, or no URL that can be used.",
	6:   "sp can't use the registry or a file: missing, unsafe, untrusted, corrupt, newer, read-only or full.",
	7:   "Another command held the lock for too long.",
	8:   "The change was made, but something after it failed, such as writing a file.",
	9:   "The other side refused or did not answer: a database server, Docker or the cloud. Also: not part of sp.",
	126: "`sp exec` can't run the command.",
	127: "`sp exec` finds no such command.",
	128: "Signal n ended the command. Nothing is half done.",
}

// TestReference fails if docs/reference.md is not what the command tree says; -update writes it.
func TestReference(t *testing.T) {
	t.Parallel()
	want := program().Reference("Reference", referencePreface, exitMeanings)
	if *update {
		require.NoError(t, os.WriteFile(reference, []byte(want), 0o644))
	}
	got, err := os.ReadFile(reference)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "docs/reference.md is out of date: make reference")
}

// TestReferenceExplainsEveryExitCode: a new exit code needs its line in the table.
func TestReferenceExplainsEveryExitCode(t *testing.T) {
	t.Parallel()
	for _, exit := range program().Describe(&cli.Command{}).Exits {
		require.NotEmpty(t, exitMeanings[exit.Exit], "exit %d", exit.Exit)
	}
}

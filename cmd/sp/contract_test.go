package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/stretchr/testify/require"
)

// commands returns every command of the tree, groups too, by its words behind sp.
func commands(t *testing.T) map[string]*cli.Command {
	t.Helper()
	found := map[string]*cli.Command{}
	var walk func(prefix string, commands []*cli.Command)
	walk = func(prefix string, commands []*cli.Command) {
		for _, sub := range commands {
			words := strings.TrimSpace(prefix + " " + sub.Name)
			found[words] = sub
			walk(words, sub.Commands)
		}
	}
	walk("", program().Tree())
	require.Greater(t, len(found), 60, "are these all?")
	return found
}

// takesAnything tells of the commands that belong to the application.
func takesAnything(cmd *cli.Command) bool { return strings.HasSuffix(cmd.Usage, "(not part of sp)") }

// takesMany tells of the commands whose last argument can be repeated.
func takesMany(cmd *cli.Command) bool {
	return len(cmd.Args) > 0 && cmd.Args[len(cmd.Args)-1].Repeated
}

func TestEveryCommandSaysWhatItDoes(t *testing.T) {
	t.Parallel()
	for words, cmd := range commands(t) {
		require.NotEmpty(t, cmd.Usage, words)
		require.False(t, strings.HasSuffix(cmd.Usage, "."), words)
		for _, flag := range cmd.Flags {
			require.NotEmpty(t, flag.Usage, "%s --%s", words, flag.Name)
		}
	}
}

// TestHelpFitsAScreen holds every help to 40 lines of 80 columns, and that of the
// program to 35.
func TestHelpFitsAScreen(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	check := func(words []string) {
		o := s.must(append(slices.Clone(words), "--help")...)
		require.Empty(t, o.stderr, words)
		lines := strings.Split(strings.TrimSuffix(o.stdout, "\n"), "\n")
		require.LessOrEqual(t, len(lines), 40, "sp %s --help", strings.Join(words, " "))
		for _, line := range lines {
			if utf8.RuneCountInString(line) > 80 {
				t.Errorf("sp %s --help: wider than 80 columns: %s", strings.Join(words, " "), line)
			}
		}
		args := program().Meant(append([]string{"sp"}, words...))
		full := strings.Join(args, " ")
		require.True(t, strings.HasPrefix(o.stdout, full+" - "), "%s: %q", full, lines[0])
	}
	check(nil)
	lines := strings.Split(strings.TrimSuffix(s.must("--help").stdout, "\n"), "\n")
	require.LessOrEqual(t, len(lines), 38)
	for _, line := range lines {
		require.LessOrEqual(t, utf8.RuneCountInString(line), 80, line)
	}
	for words := range commands(t) {
		check(strings.Fields(words))
		// `sp help tenant list` says what `sp tenant list --help` says.
		helped := s.must(append([]string{"help"}, strings.Fields(words)...)...)
		require.Equal(t, s.must(append(strings.Fields(words), "--help")...).stdout, helped.stdout, words)
	}
}

func TestHelpIsOneDocumentWithJSON(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	for words := range commands(t) {
		o := s.must(append(strings.Fields(words), "--json", "--help")...)
		require.NoError(t, checkDocument(o.stdout, false), words)
	}
}

// TestWrongUsageIsRefusedEverywhere also with --json, as one document; nothing is
// made for it.
func TestWrongUsageIsRefusedEverywhere(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	refuse := func(args ...string) {
		o := s.run(args...)
		require.Equal(t, 2, o.exit, "sp %v: %s", args, o.stderr)
		require.Empty(t, o.stdout, "sp %v", args)
		require.NoError(t, checkNotes(o.stderr), "sp %v", args)
		o = s.run(append([]string{"--json"}, args...)...)
		require.Equal(t, 2, o.exit, "sp --json %v", args)
		require.Equal(t, "usage", o.code(t), "sp --json %v", args)
		require.Empty(t, o.stderr, "sp --json %v", args)
	}
	for words, cmd := range commands(t) {
		at := strings.Fields(words)
		switch {
		case cmd.IsGroup():
			refuse(at...)
			refuse(append(at, "frobnicate")...)
			refuse(append(at, "--frobnicate")...)
		case takesAnything(cmd):
		default:
			refuse(append(at, "--frobnicate")...)
			if len(cmd.Args) > 0 && !cmd.Args[0].Optional {
				refuse(at...)
			}
			if takesMany(cmd) {
				continue
			}
			superfluous := slices.Repeat([]string{"-"}, len(cmd.Args)+1)
			refuse(append(at, superfluous...)...)
			if cmd.Rest == "" { // there they are another program's
				refuse(append(append(at, "--"), superfluous...)...)
			}
		}
	}
	require.NoDirExists(t, s.dir+"/.systemprompt")
}

// TestValueOfAFlagIsNotRepeated gives every flag that can't take it a value that
// might be a secret.
func TestValueOfAFlagIsNotRepeated(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	const secret = "s3cret-value"
	for words, cmd := range commands(t) {
		for _, flag := range cmd.Flags {
			o := s.run(append(strings.Fields(words), "--"+flag.Name+"="+secret, "--"+flag.Name+"="+secret)...)
			require.NotContains(t, o.stdout+o.stderr, secret, "sp %s --%s", words, flag.Name)
			if !cmd.IsGroup() && !takesAnything(cmd) {
				require.Equal(t, 2, o.exit, "sp %s --%s: %s", words, flag.Name, o.stderr)
			}
		}
	}
}

// contract is the table of exit codes in section 4 of the design.
var contract = map[int][]string{
	1: {"internal"},
	2: {"usage", "invalid", "ambiguous", "confirmation_required"},
	3: {"not_found"},
	4: {"exists", "in_use", "conflict"},
	5: {"no_profile", "no_tenant", "no_url"},
	6: {"store", "untrusted"},
	7: {"busy"},
	8: {"incomplete"},
	9: {"unavailable", "denied", "mismatch", "unsupported"},
	// Those of exec are a shell's.
	126: {"unavailable"},
	127: {"not_found"},
}

func TestEveryErrorHasItsRowInTheContract(t *testing.T) {
	t.Parallel()
	p := program()
	require.Equal(t, "internal", p.FailureOf(errors.New("x")).Code)
	require.Equal(t, 1, p.FailureOf(errors.New("x")).Exit)
	for _, row := range task.Faults() {
		require.Contains(t, contract[row.Exit], row.Code, "%v", row.Err)
		f := p.FailureOf(fmt.Errorf("wrapped: %w", row.Err))
		require.Equal(t, row.Exit, f.Exit, "%v is hidden by another row", row.Err)
		require.Equal(t, row.Code, f.Code, "%v is hidden by another row", row.Err)
	}
}

// TestErrorsOfTheLibraryDoNotQuoteArguments: the library itself would quote what people typed.
func TestErrorsOfTheLibraryDoNotQuoteArguments(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	for _, args := range [][]string{
		{"tenant", "list", "--limit=9s3cret"},
		{"tenant", "list", "--max-age", "s3cret"},
		{"--json=s3cret", "status"},
		{"tenant", "list", "--stale=s3cret"},
		{"status", "-s3cret"},
		{"tenant", "delete", "-ys3cret"},
		{"s3cret://x@y", "--help"},
		{"tenant", "show", "--s3cret=1"},
		{"export", "--check=s3cret"},
		{"help", "s3cret"},
		{"--dir", "x", "--s3cret=x"},
	} {
		for _, args := range [][]string{args, append([]string{"--json"}, args...)} {
			o := s.run(args...)
			require.Equal(t, 2, o.exit, args)
			if !slices.Contains(args, "help") && !strings.HasPrefix(args[len(args)-1], "--s3cret") && !slices.Contains(args, "--help") {
				require.NotContains(t, o.stdout+o.stderr, "s3cret", args)
			}
		}
	}
}

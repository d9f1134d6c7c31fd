package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var errGone = errors.New("not there")

// bench is a program of a few commands, and what they were given.
type bench struct {
	t        *testing.T
	program  Program
	env      map[string]string
	typed    string
	terminal bool
	given    []string
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, env: map[string]string{"TERM": "dumb"}}
	b.program = Program{
		Name: "prog", Usage: "does things", Help: "  prog thing show x\n",
		Flags: []Flag{String("dir", "DIRECTORY", "where")},
		Faults: func() []Fault {
			return []Fault{{Err: errGone, Exit: 3, Code: "not_found", Hint: Advise("look elsewhere")}}
		},
		Nouns: []Noun{
			{Name: "thing", Build: b.thing},
			{Name: "run", Build: func() *Command {
				return &Command{
					Name: "run", Usage: "run another program", Rest: "[-- ARGUMENT...]", NoJSON: "--json: it is not ours", Args: []Arg{{Name: "THING", Optional: true}},
					Run: func(_ context.Context, c *Context) (Answer, error) {
						b.given = append(append(c.Before(), "|"), c.Rest()...)
						return Answer{}, nil
					},
				}
			}},
			{Name: "help", Build: Help},
			{Name: "secret", Hidden: true, Build: func() *Command { return &Command{Name: "secret", Usage: "hidden"} }},
		},
	}
	return b
}

func (b *bench) thing() *Command {
	flags := append([]Flag{
		Choice("type", "of which type", "local", "cloud"), Duration("grace", 24*time.Hour, "how long"), Int("limit", "N", "at most N"),
		Bool("force", "all the same"), Yes(), Strings("set", "KEY=VALUE", "as often as needed"),
	}, SecretFlags("password", "PASSWORD", "how it is opened")...)
	return &Command{Name: "thing", Usage: "work with things", Commands: []*Command{
		{Name: "show", Usage: "show a thing", Description: "Shows it.", Args: []Arg{{Name: "ID"}, {Name: "MORE", Optional: true, Repeated: true}}, Flags: flags, Run: b.show},
		{Name: "list", Usage: "list things", Run: b.list},
		{Name: "none", Usage: "list nothing", Run: func(context.Context, *Context) (Answer, error) {
			return Answer{Title: "Things", Heads: []string{"NAME"}, Rows: Rows()}, nil
		}},
		{Name: "about", Usage: "say much", Run: func(context.Context, *Context) (Answer, error) {
			return Answer{Rows: Rows([]string{"warning", "it stands otherwise than it did, " + strings.Repeat("and so on ", 8)}), Wrap: true, Foot: Advise("2 checks ok")}, nil
		}},
		{Name: "cure", Usage: "name a long command", Run: func(context.Context, *Context) (Answer, error) {
			cure := To("prog thing show", strings.Repeat("x", 80), "--force").String()
			row := Row{Cells: []string{"warning", "it is ill: " + cure + ", " + strings.Repeat("y", 90)}, Kept: []string{cure}}
			return Answer{Wrap: true, Rows: func(yield func(Row, error) bool) { yield(row, nil) }}, nil
		}},
		{Name: "delete", Usage: "delete it", Flags: []Flag{Yes()}, Run: func(ctx context.Context, c *Context) (Answer, error) {
			return Answer{}, c.Confirm(ctx, "Delete it?")
		}},
		{Name: "burn", Usage: "burn it", Flags: []Flag{Yes()}, Run: func(ctx context.Context, c *Context) (Answer, error) {
			return Answer{}, c.Confirm(ctx, "Burn it,"+strings.Repeat(" and what is in it", 6)+"?")
		}},
		{Name: "ask", Usage: "ask", Run: func(ctx context.Context, c *Context) (Answer, error) {
			usual := "here"
			answer, err := c.Ask(ctx, Question{What: "Place", Default: &usual, Check: func(s string) error {
				if s == "bad" {
					return errors.New("not a good one")
				}
				return nil
			}})
			return Line(answer, answer), err
		}},
		{Name: "choose", Usage: "choose", Run: func(ctx context.Context, c *Context) (Answer, error) {
			answer, err := c.Ask(ctx, Question{What: "Thing", Candidates: []Candidate{{"a", "the first"}, {"b", "the second"}}})
			return Line(answer, answer), err
		}},
	}}
}

// TestACommandThatIsToBeCopiedIsNotCut: a terminal breaks the line, and copies it as one.
func TestACommandThatIsToBeCopiedIsNotCut(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.terminal = true
	exit, stdout, _ := b.run("thing", "cure")
	require.Zero(t, exit)
	require.Contains(t, stdout, "prog thing show "+strings.Repeat("x", 80)+" --force,\n")
	require.NotContains(t, stdout, strings.Repeat("y", 90))
}

func (b *bench) show(_ context.Context, c *Context) (Answer, error) {
	b.given = append([]string{c.Line}, c.Args()...)
	switch id := *c.Arg(0); id {
	case "gone":
		return Answer{}, WithCandidates(Hint(fmt.Errorf("thing %s: %w", id, errGone), "%s lists them", To("prog thing list")), "x", "y")
	case "its name":
		return Answer{}, Hint(fmt.Errorf("thing: %w", errGone), "%s", To("prog thing show", id, "--force"))
	default:
		return Line(map[string]string{"id": id}, id), nil
	}
}

func (b *bench) list(context.Context, *Context) (Answer, error) {
	rows := func(yield func(Row, error) bool) {
		for _, r := range []Row{
			{Cells: []string{"alpha", "iad", "a long description of the first thing"}, Value: 1, Marked: true},
			{Cells: []string{"テナント名", "", "二番目"}, Value: 2},
		} {
			if !yield(r, nil) {
				return
			}
		}
	}
	return Answer{List: "things", Title: "Things", Heads: []string{"NAME", "REGION", "ABOUT"}, Rows: rows}, nil
}

// run runs a command line and returns what it answered and said.
func (b *bench) run(line ...string) (exit int, stdout, stderr string) {
	b.t.Helper()
	dir := b.t.TempDir()
	open := func(name, text string) *os.File {
		path := filepath.Join(dir, name)
		require.NoError(b.t, os.WriteFile(path, []byte(text), 0o600))
		file, err := os.OpenFile(path, os.O_RDWR, 0)
		require.NoError(b.t, err)
		b.t.Cleanup(func() { _ = file.Close() })
		return file
	}
	in, out, said := open("in", b.typed), open("out", ""), open("err", "")
	exit = b.program.Run(b.t.Context(), append([]string{"prog"}, line...), World{
		Stdin: in, Stdout: out, Stderr: said, Now: time.Now, Terminal: func(int) bool { return b.terminal },
		UntilSignal:      func(ctx context.Context) (context.Context, func()) { return ctx, func() {} },
		LookupEnv:        func(name string) (string, bool) { value, ok := b.env[name]; return value, ok },
		WorkingDirectory: func() (string, error) { return "/here", nil },
	})
	read := func(f *os.File) string {
		text, err := os.ReadFile(f.Name())
		require.NoError(b.t, err)
		return string(text)
	}
	return exit, read(out), read(said)
}

func TestACommandGetsItsArgumentsAndFlags(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	exit, stdout, stderr := b.run("thing", "show", "x", "y", "--type", "cloud", "--grace", "2h", "--force", "-y", "--password", "sesame", "--set", "a=1", "--set", "b=2")
	require.Zero(t, exit, stderr)
	require.Equal(t, "x\n", stdout)
	require.Equal(t, []string{"prog thing show x y --type cloud --grace --force --set 'a=1,b=2' --password ***", "x", "y"}, b.given)
}

func TestMisuseIsRefusedBeforeAnythingRuns(t *testing.T) {
	t.Parallel()
	for line, said := range map[string]string{
		"thing show":                       "prog: thing show: ID is missing\nprog: hint: usage: prog thing show ID [MORE...]\n",
		"thing list x":                     "prog: thing list: too many arguments\nprog: hint: usage: prog thing list\n",
		"thing show x --tpye local":        "prog: thing show: unknown flag --tpye\nprog: hint: did you mean --type?\n",
		"thing show x --type other":        "prog: thing show: --type must be local or cloud\n",
		"thing show x --limit many":        "prog: thing show: flag --limit: not a whole number\nprog: hint: prog thing show --help\n",
		"thing show x --grace 1y":          "prog: thing show: flag --grace: not a duration such as 90s, 30m or 24h; a day is 24h\nprog: hint: prog thing show --help\n",
		"thing show x --limit 1 --limit=2": "prog: thing show: flag --limit: given more than once\nprog: hint: prog thing show --help\n",
		"thing show x --grace=-1s":         "prog: thing show: --grace is before now\n",
		"thing show x --password=":         "prog: thing show: --password is empty\n",
		"thing shwo":                       "prog: unknown command thing shwo\nprog: hint: did you mean prog thing show?\n",
		"thing rm":                         "prog: unknown command thing rm\nprog: hint: did you mean prog thing delete?\n",
		"thing ls":                         "prog: unknown command thing ls\nprog: hint: did you mean prog thing list?\n",
		"thing postgres://u:p@h/d":         "prog: unknown command thing ***\nprog: hint: prog thing --help lists the commands\n",
		"thing":                            "prog: thing: which command?\nprog: hint: prog thing --help lists them\n",
		"thng":                             "prog: unknown command thng\nprog: hint: did you mean prog thing?\n",
		"run x y":                          "prog: run: too many arguments\nprog: hint: run's own arguments come after --: prog run -- ARGUMENT...\nprog: hint: usage: prog run [THING] [-- ARGUMENT...]\n",
		"run x -c":                         "prog: run: unknown flag -c\nprog: hint: run's own arguments come after --: prog run -- ARGUMENT...\n",
		"run --json":                       "",
	} {
		b := newBench(t)
		exit, stdout, stderr := b.run(strings.Fields(line)...)
		require.Equal(t, 2, exit, line)
		if said != "" {
			require.Equal(t, said, stderr, line)
			require.Empty(t, stdout, line)
		}
		require.Nil(t, b.given, line)
	}
}

func TestArgumentsAfterDashesArePassedOn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	exit, _, stderr := b.run("run", "x", "--", "-c", "--help")
	require.Zero(t, exit, stderr)
	require.Equal(t, []string{"x", "|", "-c", "--help"}, b.given)
}

func TestAFailureSaysWhatAndWhatHelps(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	exit, stdout, stderr := b.run("thing", "show", "gone")
	require.Equal(t, 3, exit)
	require.Empty(t, stdout)
	require.Equal(t, "prog: thing gone: not there\nprog: hint: prog thing list lists them\n", stderr)
	exit, stdout, stderr = b.run("--json", "thing", "show", "gone")
	require.Equal(t, 3, exit)
	require.Empty(t, stderr)
	require.JSONEq(t, `{"error": {"code": "not_found", "message": "thing gone: not there", "hint": "prog thing list lists them",
		"next_steps": ["prog thing list"], "candidates": ["x", "y"]}}`, stdout)
	_, _, stderr = b.run("thing", "show", "its name")
	require.Contains(t, stderr, "prog thing show 'its name' --force\n")
}

func TestAListIsRowsOrADocument(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, stdout, _ := b.run("thing", "list")
	require.Equal(t, "alpha\tiad\ta long description of the first thing\nテナント名\t\t二番目\n", stdout)
	_, stdout, _ = b.run("thing", "list", "--json")
	require.Equal(t, "{\n  \"things\": [\n    1,\n    2\n  ]\n}\n", stdout)
}

func TestATableFitsTheTerminal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.terminal = true
	_, stdout, _ := b.run("thing", "list")
	require.Equal(t, "Things\n"+
		"  NAME        REGION  ABOUT\n"+
		"  alpha       iad     a long description of the first thing\n"+
		"  テナント名          二番目\n", stdout)
	for _, wide := range []int{20, 40, 60, 80, 120} {
		table := &table{to: io.Discard, wide: wide}
		for range 3 {
			table.measure([]string{strings.Repeat("x", 50), "テナント名テナント名テナント名", "short", strings.Repeat("y", 70)})
		}
		table.narrow(nil)
		total := 0
		for _, w := range table.widths {
			total += w + 2
		}
		require.True(t, total <= wide || wide < 40, "%d: %v", wide, table.widths)
	}
	whole := &table{to: io.Discard, wide: 80, whole: []string{"ID"}}
	whole.measure([]string{strings.Repeat("x", 36), strings.Repeat("y", 20), strings.Repeat("z", 40)})
	whole.narrow([]string{"ID", "NAME", "USERS"})
	require.Equal(t, []int{36, 19, 19}, whole.widths, "of an id that is cut nobody can make use")
	require.Equal(t, "テナ…", Cut("テナント", 6))
	require.Equal(t, 8, Width("テナント"))
}

// TestNothingHasNoHeads: over no rows they would look as though these went missing.
func TestNothingHasNoHeads(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.terminal = true
	exit, stdout, _ := b.run("thing", "none")
	require.Zero(t, exit)
	require.Equal(t, "Things\n", stdout)
}

// TestAQuestionFitsTheTerminal in lines that are not broken within a word.
func TestAQuestionFitsTheTerminal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.terminal, b.typed = true, "y\n"
	_, _, stderr := b.run("thing", "burn")
	require.Equal(t, "Burn it, and what is in it and what is in it and what is in it and what is\n    in it and what is in it and what is in it? [y/N] ", stderr)
}

// TestProgramsAreToldNothingThatDestroys: of advice they get the commands that lose nothing and answer
// no question.
func TestProgramsAreToldNothingThatDestroys(t *testing.T) {
	t.Parallel()
	err := Hint(errGone, "%s, %s, %s or %s", To("sp thing delete", "x"), To("sp thing put", "--force"), To("sp thing turn", "-y"), To("sp thing list"))
	f := (&Program{}).FailureOf(err)
	require.Equal(t, []string{"sp thing list"}, f.NextSteps)
	require.Equal(t, "sp thing delete x, sp thing put --force, sp thing turn -y or sp thing list", *f.Hint)
}

// TestEnterCancelsWhereNothingIsChosen: a question about trust has no answer that Enter could mean.
func TestEnterCancelsWhereNothingIsChosen(t *testing.T) {
	t.Parallel()
	require.Equal(t, "What is it (Enter cancels): ", Question{What: "What is it", Cancels: true}.prompt())
}

// TestACommandIsNotBrokenWhereALineEnds, unless it is longer than a line.
func TestACommandIsNotBrokenWhereALineEnds(t *testing.T) {
	t.Parallel()
	kept := []string{"sp doctor", "sp doctor --fix"}
	require.Equal(t, []string{"look with", "sp doctor or mend", "with", "sp doctor --fix"},
		wrapKeeping("look with sp doctor or mend with sp doctor --fix", 18, kept))
}

func TestALongLastColumnGoesOnInTheNextLine(t *testing.T) {
	b := newBench(t)
	b.terminal = true
	_, stdout, _ := b.run("thing", "about")
	require.Equal(t, "  warning  it stands otherwise than it did, and so on and so on and so on and so\n"+
		"           on and so on and so on and so on and so on\n2 checks ok\n", stdout)
	b.terminal = false
	_, stdout, _ = b.run("thing", "about")
	require.Equal(t, 1, strings.Count(stdout, "\n"), "a pipe gets a line")
}

func TestVersionIsThereAnywhere(t *testing.T) {
	b := newBench(t)
	b.program.Nouns = append(b.program.Nouns, Noun{Name: "version", Build: func() *Command {
		return &Command{Name: "version", Usage: "say it", Run: func(context.Context, *Context) (Answer, error) { return Line("1.2", "1.2"), nil }}
	}})
	for _, line := range [][]string{{"--version"}, {"thing", "show", "--version"}, {"--dir", "x", "--version", "thing"}} {
		exit, stdout, stderr := b.run(line...)
		require.Equal(t, []any{0, "1.2\n", ""}, []any{exit, stdout, stderr}, line)
	}
	_, stdout, _ := b.run("--version", "--json")
	require.JSONEq(t, `"1.2"`, stdout)
	exit, _, _ := b.run("run", "--", "--version")
	require.Zero(t, exit)
	require.Equal(t, []string{"|", "--version"}, b.given)
}

func TestHelpIsThereAnywhere(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var texts []string
	for _, line := range []string{"thing show --help", "--help thing show", "thing show x --type local -h", "help thing show", "thing --help show"} {
		exit, stdout, stderr := b.run(strings.Fields(line)...)
		require.Zero(t, exit, line)
		require.Empty(t, stderr)
		texts = append(texts, stdout)
		require.Equal(t, texts[0], stdout, line)
	}
	require.Contains(t, texts[0], "prog thing show ID [MORE...] [flags]")
	for line := range strings.SplitSeq(texts[0], "\n") {
		require.LessOrEqual(t, Width(line), 80, line)
	}
	_, stdout, _ := b.run()
	require.Contains(t, stdout, "thing     work with things")
	require.NotContains(t, stdout, "secret")
	_, stdout, _ = b.run("--help", "--json")
	var d Description
	require.NoError(t, json.Unmarshal([]byte(stdout), &d))
	require.Equal(t, "thing show", d.Commands[0].Commands[0].Command)
	require.Equal(t, []string{"local", "cloud"}, d.Commands[0].Commands[0].Flags[0].Choices)
	require.Contains(t, d.Exits, DescribedExit{3, "not_found"})
}

func TestAQuestionIsAskedUntilThereIsAnAnswer(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{"\n": "here", "there\n": "there", "bad\nthere\n": "there"} {
		b := newBench(t)
		b.terminal, b.typed = true, typed
		_, stdout, stderr := b.run("thing", "ask")
		require.Equal(t, want+"\n", stdout)
		require.Contains(t, stderr, "Place [here]: ")
	}
	b := newBench(t)
	b.terminal, b.typed = true, "3\nc\n2\n"
	_, stdout, stderr := b.run("thing", "choose")
	require.Equal(t, "b\n", stdout)
	require.Contains(t, stderr, "  1  a  the first\n  2  b  the second\n")
}

func TestNoAndTheEndOfInputCancel(t *testing.T) {
	t.Parallel()
	for _, typed := range []string{"", "n\n", "\n"} {
		b := newBench(t)
		b.terminal, b.typed = true, typed
		exit, _, stderr := b.run("thing", "delete")
		require.Equal(t, 2, exit)
		require.Contains(t, stderr, "prog: Cancelled. Nothing was changed.\n")
	}
	b := newBench(t)
	exit, _, stderr := b.run("thing", "delete")
	require.Equal(t, 2, exit)
	require.Equal(t, "prog: Delete it?: not confirmed\nprog: hint: -y answers yes\n", stderr)
	exit, _, _ = b.run("thing", "delete", "-y")
	require.Zero(t, exit)
}

func TestNearNamesAreOffered(t *testing.T) {
	names := []string{"production", "prod", "staging", "local", "local-integration", "Loca"}
	for word, want := range map[string][]string{
		"prodution": {"production"}, "prod-": {"prod"}, "lcoal": {"local", "Loca"}, "loc": {"Loca", "local", "local-integration"}, "STAGING": {"staging"}, "nobody": nil, "x": nil, "": nil,
	} {
		require.Equal(t, want, Near(word, names), word)
	}
}

// TestAWordThatAFlagTakesAsksForNothing: --version and --help are values there.
func TestAWordThatAFlagTakesAsksForNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, word := range []string{"--help", "--version", "-h"} {
		exit, stdout, _ := b.run("thing", "show", "x", "--set", word)
		require.Zero(t, exit)
		require.NotContains(t, stdout, "Usage:", word)
	}
	exit, _, stderr := b.run("run", "--dir", "--", "x")
	require.Equal(t, 2, exit)
	require.Contains(t, stderr, "--dir needs a value")
	exit, stdout, _ := b.run("thing", "list", "-json=true", "--bad")
	require.Equal(t, 2, exit)
	require.True(t, json.Valid([]byte(stdout)), stdout)
}

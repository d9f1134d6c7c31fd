package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/cli"
)

// ofApplication are the command lines of the documents that belong to the application.
var ofApplication = []string{"cloud deploy", "infra db migrate"}

// controlled are those that need a control plane, which the tests in live give them; here nobody is
// logged in to one.
var controlled = []string{
	"cloud tenant cancel <tenant-id> -y",
	"cloud tenant create --region iad",
	"cloud tenant create --region iad --name my-project",
	"cloud tenant rotate-credentials <id>",
	"cloud tenant rotate-credentials <tenant-id> -y",
	"cloud tenant rotate-sync-token <id>",
	"cloud tenant rotate-sync-token <tenant-id> -y",
}

// serving are those that need a database server, which the tests in live give them; here
// there is none.
var serving = []string{"cloud tenant create --type local", "cloud tenant create --type local --name my-project", "cloud tenant rotate-credentials", "db up"}

// syncing are those on the files of a cloud tenant, which the script sync has; here the
// tenant in effect is a local one.
var syncing = []string{"cloud sync pull", "cloud sync push"}

// withTerminal are those that need a terminal, or say with which flag they need none.
var withTerminal = []string{"login"}

// asking are those that ask first, and need -y without a terminal.
var asking = []string{"cloud tenant rotate-sync-token"}

// just maps the recipes of the documents to commands. `just start` starts the
// application, which is none of sp's commands.
var just = map[string]string{"login": "login", "db-up": "db up", "migrate": "infra db migrate", "start": ""}

func TestEveryCommandLineOfTheDocumentsWorks(t *testing.T) {
	t.Parallel()
	var refused []string
	for _, line := range documentedLines(t) {
		words := strings.Fields(regexp.MustCompile(`<(tenant-)?id>`).ReplaceAllString(line, "999bc654-9a64-49bc-98be-db976fc84e76"))
		// Each is there without the word `cloud`, too.
		spellings := [][]string{words}
		if words[0] == "cloud" {
			spellings = append(spellings, words[1:])
		}
		for _, spelling := range spellings {
			o := documentedProject(t).run(append(slices.Clone(spelling), "--json")...)
			if slices.Contains(ofApplication, line) {
				require.Equal(t, 9, o.exit, "sp %v: %s", spelling, o.stdout)
				require.Equal(t, "unsupported", o.code(t), "sp %v", spelling)
				refused = append(refused, line)
				continue
			}
			if slices.Contains(controlled, line) {
				if slices.Contains(spelling, "create") && !slices.Contains(spelling, "--name") { // at a terminal it asks for it
					spelling = append(slices.Clone(spelling), "--name", "x")
					o = documentedProject(t).run(append(slices.Clone(spelling), "--json")...)
				}
				require.Equal(t, "denied", o.code(t), "sp %v", spelling)
				require.Contains(t, o.stdout, "not logged in", "sp %v", spelling)
				continue
			}
			if slices.Contains(serving, line) {
				if !slices.Contains(spelling, "--name") && spelling[len(spelling)-1] == "local" { // at a terminal it asks for it
					spelling = append(slices.Clone(spelling), "--name", "x")
				}
				require.Equal(t, "unavailable", documentedProject(t).run(append(slices.Clone(spelling), "--json")...).code(t), "sp %v", spelling)
				continue
			}
			if slices.Contains(syncing, line) {
				require.Equal(t, "unsupported", o.code(t), "sp %v", spelling)
				require.Contains(t, o.stdout, "is local", "sp %v", spelling)
				continue
			}
			if slices.Contains(withTerminal, line) {
				require.Equal(t, "usage", o.code(t), "sp %v", spelling)
				continue
			}
			if slices.Contains(asking, line) {
				require.Equal(t, "confirmation_required", o.code(t), "sp %v", spelling)
				o = documentedProject(t).run(append(slices.Clone(spelling), "-y", "--json")...)
			}
			require.Zero(t, o.exit, "sp %v: %s%s", spelling, o.stdout, o.stderr)
		}
	}
	slices.Sort(refused)
	require.Equal(t, ofApplication, slices.Compact(refused), "the list holds what no document says")
}

// TestDocumentsAreReadWhole holds what the extraction finds against a list, so that
// it can't find less one day.
func TestDocumentsAreReadWhole(t *testing.T) {
	t.Parallel()
	offered := slices.DeleteFunc(documentedLines(t), func(line string) bool { return slices.Contains(ofApplication, line) })
	require.Equal(t, []string{
		"cloud profile create local",
		"cloud profile create production",
		"cloud sync pull",
		"cloud sync push",
		"cloud tenant cancel <tenant-id> -y",
		"cloud tenant create --region iad",
		"cloud tenant create --region iad --name my-project",
		"cloud tenant create --type local",
		"cloud tenant create --type local --name my-project",
		"cloud tenant delete <id> -y",
		"cloud tenant delete <tenant-id> -y",
		"cloud tenant list",
		"cloud tenant rotate-credentials",
		"cloud tenant rotate-credentials <id>",
		"cloud tenant rotate-credentials <tenant-id> -y",
		"cloud tenant rotate-sync-token",
		"cloud tenant rotate-sync-token <id>",
		"cloud tenant rotate-sync-token <tenant-id> -y",
		"cloud tenant select <id>",
		"cloud tenant select <tenant-id>",
		"cloud tenant select local_19bff27604c",
		"cloud tenant show",
		"cloud tenant show 999bc654-9a64-49bc-98be-db976fc84e76",
		"cloud tenant show <id>",
		"cloud tenant show <tenant-id>",
		"db up",
		"login",
	}, offered)
}

// documentedProject has the tenants of the overview's sample, the local one selected.
func documentedProject(t *testing.T) *sandbox {
	t.Helper()
	text, err := os.ReadFile(corpus + "/accept/doc-overview.in.json")
	require.NoError(t, err)
	s := newSandbox(t)
	s.must("import", s.write("tenants.json", string(text)))
	s.must("tenant", "select", "local_19bff27604c")
	return s
}

// documentedLines returns, sorted and each once, the command lines that the three
// documents print, without the program's name.
func documentedLines(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/documents/*.txt")
	require.NoError(t, err)
	require.Len(t, files, 3)
	found := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for line := range strings.Lines(strings.ReplaceAll(string(text), "push/pull", "push and systemprompt cloud sync pull")) {
			for _, command := range commandsIn(t, line) {
				found[command] = true
			}
		}
	}
	var lines []string
	for line := range found {
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

// mention is where a command may start: behind the program's name, at the word
// `cloud`, which tables and messages print alone, or behind `just`.
var mention = regexp.MustCompile(`(?:^|[ "])(systemprompt|just|cloud) ([a-z].*)`)

// documentedArgument is what belongs to a command behind its words; prose does not look so.
var documentedArgument = regexp.MustCompile(`^(-y|--[a-z-]+ \S+|<[a-z-]+>|local_[0-9a-f]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|local|production)(?:$|\s)`)

func commandsIn(t *testing.T, line string) []string {
	t.Helper()
	var found []string
	for {
		at := mention.FindStringSubmatchIndex(line)
		if at == nil {
			return found
		}
		word, rest := line[at[2]:at[3]], line[at[4]:at[5]]
		line = rest
		switch word {
		case "just":
			recipe := strings.Fields(rest)[0]
			command, known := just[recipe]
			require.True(t, known, "just %s", recipe)
			if command != "" {
				found = append(found, command)
			}
			continue
		case "cloud":
			rest = "cloud " + rest
		}
		command, complete := commandAt(rest)
		require.True(t, complete || word == "cloud", "systemprompt %s: not a command", rest)
		if complete {
			found = append(found, command)
			line = strings.TrimPrefix(rest, command)
		}
	}
}

// commandAt follows the words of a text down the tree of commands, as far as a
// command that can be run, and takes its arguments.
func commandAt(text string) (command string, complete bool) {
	below, last := program().Tree(), (*cli.Command)(nil)
	for _, word := range strings.Fields(text) {
		word = strings.Trim(word, `",`)
		at := slices.IndexFunc(below, func(c *cli.Command) bool { return c.Name == word })
		if at < 0 {
			break
		}
		last = below[at]
		below = last.Commands
		command += " " + last.Name
	}
	command = strings.TrimSpace(command)
	if last == nil || last.IsGroup() {
		return "", false
	}
	rest := strings.TrimPrefix(text, command)
	for {
		rest = strings.TrimLeft(rest, " ")
		argument := documentedArgument.FindStringSubmatch(rest)
		if argument == nil {
			return command, true
		}
		command += " " + argument[1]
		rest = strings.TrimPrefix(rest, argument[1])
	}
}

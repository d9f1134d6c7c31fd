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
	var lines []string
	for _, file := range files {
		lines = append(lines, linesOf(t, file)...)
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// linesOf is that of one document.
func linesOf(t *testing.T, file string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	for line := range strings.Lines(strings.ReplaceAll(string(text), "push/pull", "push and systemprompt cloud sync pull")) {
		lines = append(lines, commandsIn(t, line)...)
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// scripted are the scripts in live that go through the documents.
var scripted = map[string]string{
	"document_configuration.txt": "configuration-overview.txt",
	"document_tenants.txt":       "tenants-overview.txt",
	"document_playbook.txt":      "tenants-playbook.txt",
}

// TestEveryCommandLineOfADocumentIsInItsScript, which runs it against a real control plane.
func TestEveryCommandLineOfADocumentIsInItsScript(t *testing.T) {
	t.Parallel()
	for script, document := range scripted {
		run := linesRun(t, script)
		for _, line := range linesOf(t, "testdata/documents/"+document) {
			if !slices.Contains(run, anyTenant.ReplaceAllString(line, "ID")) {
				t.Errorf("%s runs no sp %s", script, line)
			}
		}
	}
}

// TestReadmeForATeamIsAScript: its lines are there in that order, but with the port that was free.
func TestReadmeForATeamIsAScript(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, blocks := shellBlocks(string(readme))
	block := blocks[slices.IndexFunc(blocks, func(b string) bool { return strings.Contains(b, "spd user add") })]
	var wanted []string
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(line, "#")
		line, _, _ = strings.Cut(line, "<")
		line = strings.Join(strings.Fields(strings.ReplaceAll(line, "http://127.0.0.1:8787", "$PLANE")), " ")
		if line == "spd" {
			line = "plane"
		}
		if line != "" {
			wanted = append(wanted, line)
		}
	}
	require.Len(t, wanted, 8)
	script, err := os.ReadFile(scripts + "readme_team.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(script)) {
		if strings.HasSuffix(" "+strings.TrimSpace(line), " "+wanted[0]) {
			wanted = wanted[1:]
		}
		if len(wanted) == 0 {
			return
		}
	}
	require.Empty(t, wanted, "not in the script, or not in this order")
}

const scripts = "../../live/testdata/script/"

// anyTenant is a tenant's id as a document writes one, or a script.
var anyTenant = regexp.MustCompile(`<(?:tenant-)?id>|local_[0-9a-f]+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\$[A-Z]+`)

// runBy is a line of a script that runs sp, and has to work; the application's two commands have to fail.
var runBy = regexp.MustCompile(`^(?:exec|typed 0 \S+|sign-in \S+) sp (.+)|^exits 9 sp (` + strings.Join(ofApplication, "|") + `)$`)

// linesRun are the command lines of a script in live.
func linesRun(t *testing.T, script string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(scripts + script)
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if found := runBy.FindStringSubmatch(strings.TrimSpace(line)); found != nil {
			lines = append(lines, anyTenant.ReplaceAllString(found[1]+found[2], "ID"))
		}
	}
	require.NotEmpty(t, lines, script)
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

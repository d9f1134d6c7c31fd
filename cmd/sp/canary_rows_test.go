package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/harness"
)

// canaryRows says for every command how it is run over a registry full of secrets:
// what works, and what goes wrong in its own way. URL and KEYWORDS stand for a
// connection string with the marker. What goes wrong for all commands alike, every
// flag with such a value, --help and --json come by themselves.
var canaryRows = map[string][]string{
	"init":   {"", "--dir URL", "--dir KEYWORDS", "--dir new"},
	"trust":  {"", "-y", "--moved --copy"},
	"status": {"", "--max-age CANARYc4n4ryCANARY"},
	"doctor": {"", "--fix"}, // --connect would ask the network; doctor_database_test.go has it
	"import": {
		"--dry-run given/caged.json", "given/caged.json", "-", "--dry-run -", "given/changed.json", "given/cut.json", "given/twice.json",
		"given/wrong.json", "given/time.json", "given/odd.txt", "--duplicates first --dry-run given/twice.json", "--duplicates CANARYc4n4ryCANARY",
		"--exact given/changed.json", "--prune given/wrong.json", "--no-export given/caged.json", "", "nosuch.json", "given",
	},
	"export": {
		"", "--path copy.json", "--check", "--check --path given/caged.json", "--path given/caged.json", "--path given", "--force",
		"-", "- --drop-unknown", "--path nosuch/../x", "--path copy.json --drop-unknown --force", "--path .systemprompt/copy.json",
	},
	"backup": {
		"copy.db", "copy.db", "copy.db --force", ".systemprompt/x", "given", "-", "URL", "--age-recipient CANARYc4n4ryCANARY x.age",
		"--age-recipient URL x.age", "--age-recipients-file given/odd.txt x.age", "--age-recipients-file given/long.txt x.age",
	},
	"restore": {
		"given/backup.db", "given/caged.json -y", "given/odd.txt -y", "given", "-", "nosuch", "URL", "given/backup.db --age-identity given/odd.txt",
		"given/backup.db --age-identity given/long.txt", ".systemprompt/sp.db -y", "given/backup.db -y", "given/backup.db -y --no-export",
	},
	"tenant create": {
		"--name n --id n --database-url URL", "--name n --database-url postgres://u:CANARYc4n4ryCANARY@@h/d", "--name n --database-url-stdin",
		"--name m --id m --database-url-file given/good.txt", "--name o --database-url-file given/odd.txt", "--name o --database-url-file given/long.txt",
		"--name o --database-url-file CANARYc4n4ryCANARY", "--name a --database-url URL", "--name z --id a --database-url URL",
		"--name p --database-url CANARYc4n4ryCANARY", "--type CANARYc4n4ryCANARY --name n", "--type cloud --name n --database-url URL",
	},
	"tenant list": {"", "--limit 2", "--after a", "--limit CANARYc4n4ryCANARY", "--max-age CANARYc4n4ryCANARY", "--stale"},
	"tenant show": {"", "a", "b", "c", "d", "e", "nosuch", "a --reveal", "e --reveal"},
	"tenant edit": {
		"a --name x --database-url CANARYc4n4ryCANARY", "a --database-url postgres://u:CANARYc4n4ryCANARY@h:x/d", "a --database-url-file given/odd.txt",
		"a --database-url-file given", "a --sync-token-file CANARYc4n4ryCANARY", "a --database-url-stdin", "a --sync-token-stdin --database-url-stdin",
		"a --database-url postgres://u:CANARYc4n4ryCANARY3@h/d", "b --sync-token CANARYc4n4ryCANARY4", "b --internal-database-url URL --region iad",
		"a --clear CANARYc4n4ryCANARY", "a --limit=CANARYc4n4ryCANARY", "a --region iad", "nosuch --region iad", "c --clear database-url", "a --name b",
	},
	// Nothing here connects: the tests in live do the same on a server.
	"tenant provision":          {"", "a", "c", "nosuch", "c --server URL", "c --server CANARYc4n4ryCANARY", "c --server-file given/odd.txt", "c --provider CANARYc4n4ryCANARY", "c --provider server --server-stdin"},
	"tenant check":              {"", "a", "b", "c", "d", "e", "nosuch", "--all"},
	"tenant rotate-credentials": {"", "a -y", "b -y", "c -y", "e -y --now", "nosuch -y", "a --grace CANARYc4n4ryCANARY -y"},
	"db up":                     {"", "--provider local", "--provider CANARYc4n4ryCANARY", "--port CANARYc4n4ryCANARY", "--port 7"},
	"db down":                   {""},
	"db status":                 {""},
	"db list":                   {""},
	"db remove":                 {"", "nosuch", "URL -y", "CANARYc4n4ryCANARY", "local", "local -y"},
	"db use":                    {"", "--none", "--server URL", "--server CANARYc4n4ryCANARY", "--server-stdin", "--server-file given/odd.txt"},
	"psql":                      {"nosuch", "URL", "--profile nosuch", "a b", "c", "URL --profile a"},
	"tenant select":             {"a", "b", "-", "nosuch"},
	"tenant delete":             {"c", "nosuch -y", "c -y", "d -y"},
	"tenant rotate-sync-token":  {"", "b", "nosuch -y", "c", "c -y", "b -y"},
	"log":                       {"", "a", "nosuch", "--limit 1", "--after CANARYc4n4ryCANARY"},
	"log purge":                 {"", "-y"},
	"show":                      {"", "a --at 1", "a --at CANARYc4n4ryCANARY", "nosuch --at 1", "a --at 1 --reveal"},
	"undo":                      {"", "1", "99", "CANARYc4n4ryCANARY", "--purge"},
	"profile create":            {"new", "new --tenant b", "a", "fresh --tenant nosuch"},
	"profile list":              {"", "--all", "--limit 1"},
	"profile show":              {"", "a", "b", "nosuch"},
	"profile edit":              {"b --name bb", "b --tenant a", "a --tenant b", "nosuch --name q"},
	"profile default":           {"", "b", "", "--clear", "nosuch"},
	"profile delete":            {"c", "c -y", "nosuch -y"},
	"session list":              {"", "--limit 1"},
	"session show":              {""},
	"session switch":            {"b", "d", "nosuch"},
	"session logout":            {"", "--profile b", "--all", "--all -y"},
	"session login": {
		"", "--profile b --email u@example.com", "--profile a --force-new", "--profile a --force-new --email u@example.com",
		"--profile a --token-file given/token.txt --email u@example.com", "--profile b --token-file given/token.txt --email CANARYc4n4ryCANARY",
		"--profile b --token-file given/jwt.txt", "--profile b --token-file given/odd.txt --email u@example.com", "--token-file given/long.txt",
		"--token-file CANARYc4n4ryCANARY --email u@example.com", "--profile nosuch", "--token-file given --email u@example.com", "--profile a --token-only",
		"--profile b --token-file given/token.txt --email u@example.com --token-only", "--duration-hours CANARYc4n4ryCANARY", "--profile c --token-file -",
		"--profile b --token-file given/token.txt --email u@example.com --issuer URL",
	},
	"secrets set": {
		"new --profile a", "api --profile a", "api --profile a --file given/token.txt", "api --file given", "api --file CANARYc4n4ryCANARY", "api --file given/long.txt",
		"api=CANARYc4n4ryCANARY", "api --profile nosuch", "database_url --profile a", "api --profile b --file given/odd.txt --purge", "URL", "-- -x",
	},
	"secrets list":  {"", "--profile a", "--profile b", "--profile e", "--profile a --limit 1 --after api", "--profile nosuch"},
	"secrets get":   {"api --profile a", "database_url --profile e", "sync_token --profile b", "database_url --profile c", "nosuch", "api --reveal --profile a"},
	"secrets unset": {"api --profile a", "api --profile a", "nosuch", "database_url", "odd --purge --profile a", "odd --purge -y --profile a", "URL"},
	"secrets import": {
		"given/secrets.json --profile a", "- --profile a", "given/caged.json --profile b", "given/cut.json", "given/odd.txt", "given", "nosuch.json", "URL",
		"given/long.txt", "given/secrets.json --profile b --purge",
	},
	"resolve": {
		"", "--profile a", "--profile b", "--profile b --network external", "--profile c", "--profile d", "--profile d --network external",
		"--profile e", "--tenant a", "--tenant d", "--tenant e", "--profile a --tenant URL", "--profile nosuch", "--network CANARYc4n4ryCANARY",
		"--profile .systemprompt/profiles/x", "--profile .systemprompt/profiles/y/profile.yaml", "--profile ./u:CANARYc4n4ryCANARY@h/d",
	},
	"explain": {
		"", "--profile b", "--profile b --network external", "--profile c", "--profile d", "--profile d --network external", "--profile e",
		"--profile .systemprompt/profiles/x", "--profile .systemprompt/profiles/y/profile.yaml", "--profile ./u:CANARYc4n4ryCANARY@h/d", "--reveal",
	},
	"version": {""},
	"help":    {"", "tenant edit", "URL"},
}

// tells is what may print a secret on stdout: section 4 of the design.
func tells(args []string) bool {
	args = slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg == "--json" })
	printed := args[0] == "resolve" || args[0] == "env" || args[0] == "export" && slices.Contains(args, "-")
	return printed || slices.Contains(args, "--reveal") || slices.Contains(args, "--token-only")
}

// rowsOfEveryCommand are canaryRows by the words of every command that does
// something, those under `cloud` and `admin` too.
func rowsOfEveryCommand(t *testing.T) map[string]canaryRow {
	t.Helper()
	rows, used := map[string]canaryRow{}, map[string]bool{}
	for words, cmd := range commands(t) {
		if cmd.IsGroup() {
			continue
		}
		given, ok := canaryRows[canonical(words)]
		require.True(t, ok || takesAnything(cmd), "sp %s has no row in canaryRows: say there how it is run over a registry full of secrets", words)
		rows[words] = canaryRow{cmd: cmd, given: given}
		used[canonical(words)] = true
	}
	for words := range canaryRows {
		require.True(t, used[words], "canaryRows has a row for %q, which is no command", words)
	}
	return rows
}

// canonical are the words of a command without `cloud` or `admin` before them.
func canonical(words string) string {
	return strings.TrimPrefix(strings.TrimPrefix(words, "cloud "), "admin ")
}

// canaryRow is one command with the lines that were given for it.
type canaryRow struct {
	cmd   *cli.Command
	given []string
}

// lines are all the arguments to run the command with.
func (r canaryRow) lines(deep bool) [][]string {
	var lines [][]string
	for _, line := range r.given {
		args := strings.Fields(line)
		for i, arg := range args {
			arg = strings.ReplaceAll(arg, "URL", harness.MarkedURL)
			args[i] = strings.ReplaceAll(arg, "KEYWORDS", markedKeywords)
		}
		lines = append(lines, args)
	}
	lines = append(lines, []string{"--help"}, []string{harness.MarkedURL}, []string{markedKeywords}, []string{"--", harness.MarkedURL}, []string{markedKey})
	if !deep {
		return lines
	}
	lines = append(lines, []string{"--" + harness.MarkedURL}, []string{"--frobnicate=" + harness.Marker}, []string{"-" + harness.Marker}, slices.Repeat([]string{harness.MarkedURL}, 9))
	for _, flag := range r.cmd.Flags {
		name := flag.Name
		for _, value := range []string{harness.MarkedURL, markedKeywords, markedKey} {
			lines = append(lines, []string{"--" + name + "=" + value}, []string{"a", "--" + name, value}, []string{"--" + name + value})
		}
	}
	return lines
}

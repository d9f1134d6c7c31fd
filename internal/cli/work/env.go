package work

import (
	"context"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
)

// Env is `sp env`.
func Env() *cli.Command {
	format := cli.Choice("format", "for which program", "sh", "fish", "pwsh", "dotenv", "json")
	format.Default = "sh"
	return &cli.Command{
		Name:  "env",
		Usage: "print the variables that sp exec sets",
		Description: "They are for your own shell, an editor or a file, and secrets are among them.\n" +
			"The shells' formats also remove variables that would lead to another database.\n" +
			"sh is for bash and zsh, too. dotenv is what docker run --env-file, Node and\n" +
			"python-dotenv read alike: it has no quotes, and a value that needs them is\n" +
			"refused. json is one object. sp env starts no server and asks none.\n\n" +
			"  eval \"$(sp env)\"\n" +
			"  sp env production --format dotenv --only DATABASE_URL > .env",
		Args:  []cli.Arg{{Name: "TENANT|PROFILE", Kind: task.EitherWord, Optional: true}},
		Flags: []cli.Flag{format, only(), task.Network()},
		Run:   task.Run(env),
	}
}

// printedEnvironment is an environment in JSON.
type printedEnvironment struct {
	Profile   *task.ProfileRef `json:"profile"`
	Tenant    task.TenantRef   `json:"tenant"`
	Variables []variable       `json:"variables"`
	Unset     []string         `json:"unset"`
	Left      []leftSecret     `json:"left"`
}

func env(ctx context.Context, t *task.Task) (cli.Answer, error) {
	if t.JSON && t.IsSet("format") {
		return cli.Answer{}, cli.Usage("env: --json excludes --format")
	}
	e, err := environmentOf(ctx, t, t.Args())
	if err != nil {
		return cli.Answer{}, err
	}
	text, err := e.write(t.String("format"))
	if err != nil {
		return cli.Answer{}, err
	}
	if t.IsTerminal() {
		text = cli.PrintableLines(text) // what a terminal would take for a command
	}
	return cli.Answer{Text: text, Value: printedEnvironment{
		Profile: profileOf(e.Profile), Tenant: task.RefOf(e.Tenant), Variables: e.variables(), Unset: e.unset(), Left: append([]leftSecret{}, e.left...),
	}}, nil
}

// write writes the variables for a program that reads a format.
func (e *environment) write(format string) (string, error) {
	switch format {
	case "fish":
		return e.lines(" ", "set -e %s", "set -gx %s %s", quoteForFish), nil
	case "pwsh":
		return e.lines(", Env:", "Remove-Item -ErrorAction Ignore Env:%s", "$env:%s = %s", quoteForPowerShell), nil
	case "dotenv":
		return e.dotenv()
	case "json":
		return e.object()
	}
	return e.lines(" ", "unset %s", "export %s=%s", cli.Quoted), nil
}

// lines are a shell's commands: one removes variables, and one sets each.
func (e *environment) lines(between, unset, set string, quote func(string) string) string {
	var b strings.Builder
	if removed := e.unset(); len(removed) > 0 {
		fmt.Fprintf(&b, unset+"\n", strings.Join(removed, between))
	}
	for _, v := range e.variables() {
		fmt.Fprintf(&b, set+"\n", v.Name, quote(v.Value))
	}
	return b.String()
}

// quoteForFish quotes a word: between single quotes, fish knows \\ and \'.
func quoteForFish(word string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(word) + "'"
}

// quoteForPowerShell quotes a word. It ends at a single quote of any kind, a typographic one too, unless that
// is doubled.
func quoteForPowerShell(word string) string {
	return "'" + strings.NewReplacer("'", "''", "‘", "‘‘", "’", "’’", "‚", "‚‚", "‛", "‛‛").Replace(word) + "'"
}

// dotenv is NAME=VALUE in lines. Programs differ in what a quote, a backslash, $ and # mean there, and most
// end a value at the line's end and without its spaces.
func (e *environment) dotenv() (string, error) {
	var b strings.Builder
	for _, v := range e.variables() {
		if strings.ContainsAny(v.Value, "'\"`\\$#") || cli.Printable(v.Value) != v.Value || strings.TrimSpace(v.Value) != v.Value {
			return "", cli.Hint(fmt.Errorf("%s: programs read its value from no .env file alike: it holds a quote, a backslash, $, #, a line end or a space at an end: %w", v.Name, registry.ErrInvalid),
				"%s needs no file; --only names the variables that are wanted", cli.To("sp exec", "--", "COMMAND"))
		}
		fmt.Fprintf(&b, "%s=%s\n", v.Name, v.Value)
	}
	return b.String(), nil
}

// object is one JSON object.
func (e *environment) object() (string, error) {
	all := map[string]string{}
	for _, v := range e.variables() {
		all[v.Name] = v.Value
	}
	text, err := cli.Marshal(all, 0)
	return text + "\n", err
}

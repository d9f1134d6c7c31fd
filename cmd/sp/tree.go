package main

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

// root returns the tree of commands. Each has a constructor, one file a noun; those
// that the documents write under `cloud` or `admin` are there a second time.
func (a *app) root() *cli.Command {
	root := &cli.Command{
		Name:                          "sp",
		Usage:                         "which database a command talks to, and why",
		CustomRootCommandHelpTemplate: rootHelp,
		Writer:                        &a.out,
		ErrWriter:                     a.stderr,
		HideHelpCommand:               true,
		HideVersion:                   true,
		ExitErrHandler:                func(context.Context, *cli.Command, error) {}, // it would exit by itself
		ArgValidator:                  a.checkArguments,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "dir", Usage: "the .systemprompt directory (SP_DIR; else upwards from here)", Destination: &a.dir, OnlyOnce: true},
			&cli.BoolFlag{Name: "json", Usage: "answer with one JSON document", Destination: &a.json, OnlyOnce: true},
		},
		Commands: []*cli.Command{
			a.initCommand(), a.importCommand(), a.exportCommand(),
			a.tenantCommands(), a.profileCommands(), a.sessionCommands(),
			a.resolveCommand(), a.explainCommand(), a.statusCommand(),
			a.versionCommand(), a.helpCommand(),
			a.cloudCommands(), group("admin", "the same session commands, as the documents write them", a.sessionCommands()),
		},
	}
	root.Commands = append(root.Commands, a.laterCommands()...)
	_ = root.Walk(func(cmd *cli.Command) error { // it returns what this returns
		a.complete(cmd)
		return nil
	})
	return root
}

// cloudCommands is the word `cloud`, under which the documents write most commands.
func (a *app) cloudCommands() *cli.Command {
	cloud := group("cloud", "the same tenant and profile commands, likewise", a.tenantCommands(), a.profileCommands())
	cloud.Commands = append(cloud.Commands, a.laterCloudCommands()...)
	return cloud
}

func group(name, usage string, commands ...*cli.Command) *cli.Command {
	return &cli.Command{Name: name, Usage: usage, Commands: commands}
}

// complete sets what the library would not pass down, and what it would do otherwise:
// print help on stdout after a usage error, and accept unknown words.
func (a *app) complete(cmd *cli.Command) {
	cmd.OnUsageError = a.usageError
	if cmd.CustomHelpTemplate == "" {
		cmd.CustomHelpTemplate = commandHelp
	}
	if cmd.Action == nil {
		cmd.Action = a.missingCommand
	}
}

// missingCommand is what a group does: it has nothing to do itself.
func (a *app) missingCommand(_ context.Context, cmd *cli.Command) error {
	if cmd.Args().Present() {
		word := cmd.Args().First()
		if !flagName.MatchString(word) {
			word = "***"
		}
		err := usage("unknown command %s", strings.TrimSpace(commandWords(cmd)+" "+word))
		if near := cli.SuggestCommand(cmd.Commands, word); near != word && isNear(word, near) {
			return withHint(err, "did you mean %s %s?", cmd.FullName(), near)
		}
		return withHint(err, "%s --help lists the commands", cmd.FullName())
	}
	if cmd.Root() == cmd {
		return cli.ShowRootCommandHelp(cmd)
	}
	return withHint(usage("%s: which command?", commandWords(cmd)), "%s --help lists them", cmd.FullName())
}

// checkArguments holds a command to its ArgsUsage: as many words as it names,
// those in brackets optional.
func (a *app) checkArguments(_ context.Context, cmd *cli.Command) error {
	a.command = cmd.FullName()
	if len(cmd.Commands) > 0 {
		return nil
	}
	words := strings.Fields(cmd.ArgsUsage)
	required := len(words) - strings.Count(cmd.ArgsUsage, "[")
	given := cmd.Args().Slice()
	if err := refuseEmpty(cmd, given, words); err != nil {
		return err
	}
	if len(given) < required {
		return withHint(usage("%s: %s is missing", commandWords(cmd), words[len(given)]), "%s", synopsis(cmd))
	}
	if len(given) > len(words) && !strings.HasSuffix(cmd.ArgsUsage, "...]") {
		return withHint(usage("%s: too many arguments", commandWords(cmd)), "%s", synopsis(cmd))
	}
	return nil
}

// isNear tells whether a suggestion is more than the least bad one: the library
// always has one.
func isNear(word, suggestion string) bool {
	return word != "" && suggestion != "" && word[0] == suggestion[0] && max(len(word), len(suggestion)) < 2*min(len(word), len(suggestion))
}

// commandWords are what the user types to get the command, without the program's name.
func commandWords(cmd *cli.Command) string {
	return strings.TrimSpace(strings.TrimPrefix(cmd.FullName(), "sp"))
}

// canBeEmpty are the flags whose empty value means something: a list from its
// start, and members of the record, which tells empty from absent.
var canBeEmpty = []string{"after", "app-id", "hostname", "region", "shared-container-db"}

// refuseEmpty refuses what is given and empty: a script whose variable is not set
// must not get what it would have got without the flag.
func refuseEmpty(cmd *cli.Command, given, words []string) error {
	for i, word := range given {
		if word == "" && i < len(words) {
			return usage("%s", about(cmd, strings.Trim(words[i], "[]")+" is empty"))
		}
	}
	for _, name := range cmd.FlagNames() {
		if value, ok := cmd.Value(name).(string); ok && value == "" && !slices.Contains(canBeEmpty, name) {
			return usage("%s", about(cmd, "--"+name+" is empty"))
		}
		if age, ok := cmd.Value(name).(time.Duration); ok && age < 0 {
			return usage("%s", about(cmd, "--"+name+" is before now"))
		}
	}
	return nil
}

// about says something of a command; of the program itself, without a name.
func about(cmd *cli.Command, what string) string {
	if name := commandWords(cmd); name != "" {
		return name + ": " + what
	}
	return what
}

func synopsis(cmd *cli.Command) string {
	return strings.TrimSpace("usage: " + cmd.FullName() + " " + cmd.ArgsUsage)
}

// flagName is what may be repeated of a mistyped flag; anything else might be a
// value, and so a secret.
var flagName = regexp.MustCompile(`^[a-z][a-z-]{0,30}$`)

// usageError words the library's complaint anew, because it quotes values.
func (a *app) usageError(_ context.Context, cmd *cli.Command, err error, _ bool) error {
	a.json = a.json || asksForJSON(a.args)
	help := cmd.FullName() + " --help"
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		name = strings.TrimLeft(name, "-")
		if !flagName.MatchString(name) {
			return withHint(usage("%s", about(cmd, "unknown flag")), "%s", help)
		}
		dashes := strings.Repeat("-", min(len(name), 2))
		err := usage("%s", about(cmd, "unknown flag "+dashes+name))
		if name == "version" {
			return withHint(err, "sp version")
		}
		if near := cli.SuggestFlag(cmd.VisibleFlags(), name, false); isNear(name, strings.TrimLeft(near, "-")) {
			return withHint(err, "did you mean %s?", near)
		}
		return withHint(err, "%s", help)
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: "); ok {
		return withHint(usage("%s", about(cmd, "flag "+name+" needs a value")), "%s", help)
	}
	if found := invalidValue.FindStringSubmatch(text); found != nil {
		why := "the value can't be used"
		if strings.HasSuffix(text, "can't duplicate this flag") {
			why = "given more than once"
		}
		return withHint(usage("%s", about(cmd, "flag --"+found[1]+": "+why)), "%s", help)
	}
	return withHint(usage("%s", about(cmd, "the flags can't be read")), "%s", help)
}

// invalidValue finds the flag's name in the library's words; the greedy start skips
// whatever the quoted value holds.
var invalidValue = regexp.MustCompile(`(?s)^invalid value .* for flag -{1,2}([a-z-]+): `)

// asksForJSON tells whether the arguments hold --json, where they can't be read so far.
func asksForJSON(args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	return slices.ContainsFunc(args, func(arg string) bool {
		value, ok := strings.CutPrefix(arg, "--json=")
		yes, _ := strconv.ParseBool(value)
		return arg == "--json" || ok && yes
	})
}

// optional returns a flag's value, nil if it was not given.
func optional(cmd *cli.Command, name string) *string {
	if !cmd.IsSet(name) {
		return nil
	}
	value := cmd.String(name)
	return &value
}

// argument returns the n-th word, nil if there are fewer.
func argument(cmd *cli.Command, n int) *string {
	if cmd.Args().Len() <= n {
		return nil
	}
	value := cmd.Args().Get(n)
	return &value
}

// refuseJSON is for answers that are not ours to wrap.
func (a *app) refuseJSON(command string) error {
	if a.json {
		return usage("%s: --json: the answer is not ours to wrap", command)
	}
	return nil
}

package main

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/urfave/cli/v3"
)

// missingCommand is what a group does: it has nothing to do itself.
func (a *app) missingCommand(_ context.Context, cmd *cli.Command) error {
	if cmd.Args().Present() {
		word := cmd.Args().First()
		if !isFlagName(word) {
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

// isNear tells whether a suggestion is more than the least bad one: the library
// always has one.
func isNear(word, suggestion string) bool {
	return word != "" && suggestion != "" && word[0] == suggestion[0] && max(len(word), len(suggestion)) < 2*min(len(word), len(suggestion))
}

// isFlagName tells what may be repeated of a mistyped flag or command; anything else
// might be a value, and so a secret.
func isFlagName(word string) bool {
	return word != "" && len(word) <= 31 && word[0] != '-' && strings.Trim(word, "abcdefghijklmnopqrstuvwxyz-") == ""
}

// usageError words the library's complaint anew, because it quotes values.
func (a *app) usageError(_ context.Context, cmd *cli.Command, err error, _ bool) error {
	a.json = a.json || asksForJSON(a.args)
	help := cmd.FullName() + " --help"
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		name = strings.TrimLeft(name, "-")
		if !isFlagName(name) {
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
	if found := invalidValue().FindStringSubmatch(text); found != nil {
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
var invalidValue = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?s)^invalid value .* for flag -{1,2}([a-z-]+): `)
})

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

// refuseJSON is for answers that are not ours to wrap.
func (a *app) refuseJSON(command string) error {
	if a.json {
		return usage("%s: --json: the answer is not ours to wrap", command)
	}
	return nil
}

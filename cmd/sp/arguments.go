package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

// checkArguments holds a command to its ArgsUsage: as many words as it names,
// those in brackets optional.
func (a *app) checkArguments(_ context.Context, cmd *cli.Command) error {
	a.command, a.noted = cmd.FullName(), commandLine(cmd)
	if isGroup(cmd) {
		return nil
	}
	if a.noExport && cmd.Bool("purge") {
		return usage("%s", about(cmd, "--purge and --no-export: the file would still hold what is purged"))
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

// commandWords are what the user types to get the command, without the program's name.
func commandWords(cmd *cli.Command) string {
	return strings.TrimSpace(strings.TrimPrefix(cmd.FullName(), "sp"))
}

// canBeEmpty tells whether the empty value of a flag means something: a list from its
// start, and members of the record, which tells empty from absent.
func canBeEmpty(flag string) bool {
	return flag == "after" || slices.ContainsFunc(registry.Members, func(m *registry.Member) bool {
		return flagOf(m) == flag && m.Optional && !m.Secret
	})
}

// refuseEmpty refuses what is given and empty: a script whose variable is not set
// must not get what it would have got without the flag.
func refuseEmpty(cmd *cli.Command, given, words []string) error {
	for i, word := range given {
		if word == "" && i < len(words) {
			return usage("%s", about(cmd, strings.Trim(words[i], "[]")+" is empty"))
		}
	}
	for _, name := range cmd.FlagNames() {
		if value, ok := cmd.Value(name).(string); ok && value == "" && !canBeEmpty(name) {
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

// isGroup tells of a command that only holds others.
func isGroup(cmd *cli.Command) bool { return len(cmd.Commands) > 0 && cmd.ArgsUsage == "" }

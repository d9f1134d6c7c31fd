package main

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v3"
)

// described is what a command is to its users, with all that stands under it.
func described(cmd *cli.Command) []string {
	var text []string
	_ = cmd.Walk(func(cmd *cli.Command) error {
		text = append(text, cmd.Name, cmd.Usage, cmd.ArgsUsage, cmd.Description)
		for _, flag := range cmd.Flags {
			text = append(text, cli.FlagStringer(flag))
		}
		return nil
	})
	return text
}

// TestABranchIsWhatTheTreeHasThere: a command that is built alone is the same one.
func TestABranchIsWhatTheTreeHasThere(t *testing.T) {
	t.Parallel()
	all := (&app{}).root(nil).Commands
	require.Len(t, all, len(topCommands())+len(hiddenCommands()))
	for _, whole := range all {
		alone := (&app{}).root([]string{"sp", whole.Name}).Commands
		require.Len(t, alone, 1, whole.Name)
		require.Equal(t, described(whole), described(alone[0]), whole.Name)
	}
}

// TestOnlyTheBranchThatIsNamedIsBuilt holds both: a resolve sets up one command, and
// whoever asks what there is, or mistypes, meets the whole tree.
func TestOnlyTheBranchThatIsNamedIsBuilt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		name string // empty for the whole tree
	}{
		{[]string{"resolve"}, "resolve"},
		{[]string{"resolve", "tenant", "--help"}, "resolve"},
		{[]string{"--json", "resolve"}, "resolve"},
		{[]string{"--dir", "tenant", "resolve"}, "resolve"},
		{[]string{"--dir=tenant", "--json", "cloud", "tenant", "list"}, "cloud"},
		{nil, ""},
		{[]string{"resolv"}, ""},
		{[]string{""}, ""},
		{[]string{"--help"}, ""},
		{[]string{"-h", "resolve"}, ""},
		{[]string{"--", "resolve"}, ""},
		{[]string{"--dir"}, ""},
		{[]string{"--dir", "resolve"}, ""},
	} {
		commands := (&app{}).root(append([]string{"sp"}, c.args...)).Commands
		if c.name == "" {
			require.Greater(t, len(commands), 10, c.args)
			continue
		}
		require.Len(t, commands, 1, c.args)
		require.Equal(t, c.name, commands[0].Name, c.args)
	}
}

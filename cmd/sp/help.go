package main

import (
	"context"

	"github.com/urfave/cli/v3"
)

// rootHelp fits a screen: what it is, a session from the documents, the commands.
const rootHelp = `sp - {{.Usage}}

  sp import tenants.json                take over an existing registry
  sp tenant select local_19bff27604c
  sp psql                               the right database; sp explain says why

Commands:{{range .VisibleCommands}}
  {{printf "%-9s" .Name}} {{.Usage}}{{end}}

Flags of every command (sp cloud … and sp admin session … work, too):{{range .VisibleFlags}}
  {{.}}{{end}}

Exit codes: 0 done, 1 bug, 2 usage, 3 not found, 4 exists or conflict,
5 nothing to resolve, 6 store, 7 busy, 8 incomplete, 9 unavailable or refused.
`

const commandHelp = `{{.FullName}} - {{.Usage}}

Usage:
  {{.FullName}}{{if and .VisibleCommands (not .ArgsUsage)}} COMMAND{{end}}{{if .ArgsUsage}} {{.ArgsUsage}}{{end}}{{if .VisibleFlags}} [flags]{{end}}
{{if .Description}}
{{.Description}}
{{end}}{{if .VisibleCommands}}
Commands:{{range .VisibleCommands}}
  {{printf "%-20s" .Name}} {{.Usage}}{{end}}
{{end}}{{if .VisibleFlags}}
Flags:{{range .VisibleFlags}}
  {{.}}{{end}}
{{end}}`

// helpCommand is `sp help COMMAND`, for those who write it so.
func (a *app) helpCommand() *cli.Command {
	return &cli.Command{
		Name:      "help",
		Usage:     "tell more of a command, as --help behind it does",
		ArgsUsage: "[COMMAND...]",
		Action: func(_ context.Context, cmd *cli.Command) error {
			words := append(append([]string{"sp"}, cmd.Args().Slice()...), "--help")
			// The context of this command would make it the parent of the other.
			asked := a.json // the other tree sets it anew
			err := a.root(words).Run(context.Background(), words)
			a.json = asked
			return err
		},
	}
}

// Package tenant has the commands on tenants: create, list, show, edit, select, check, provision,
// rotate and delete them.
package tenant

import (
	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
)

// Command is `sp tenant`.
func Command() *cli.Command {
	return &cli.Command{
		Name:  "tenant",
		Usage: "create, list, show, edit, select, check and delete tenants",
		Commands: []*cli.Command{
			createCommand(), listCommand(), Show(), editCommand(), selectCommand(), deleteCommand(),
			provisionCommand(), checkCommand(), rotateCredentialsCommand(), rotateTokenCommand(),
			cancelCommand(),
		},
	}
}

// word is the argument that says which tenant.
func word() cli.Arg { return cli.Arg{Name: "ID", Kind: task.TenantWord} }

// optionalWord is the same where the tenant in effect is meant without it.
func optionalWord() cli.Arg {
	return cli.Arg{Name: "ID", Kind: task.TenantWord, Optional: true}
}

// Package tenant has the commands on tenants: create, list, show, edit, select, check, provision,
// rotate and delete them.
package tenant

import (
	"fmt"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
)

// Command is `sp tenant`.
func Command() *cli.Command {
	return &cli.Command{
		Name:  "tenant",
		Usage: "create, list, show, edit, select, check and delete tenants",
		Commands: []*cli.Command{
			createCommand(), listCommand(), Show(), editCommand(), selectCommand(), deleteCommand(),
			provisionCommand(), checkCommand(), rotateCredentialsCommand(), rotateTokenCommand(),
			cli.Later("cancel", "cancel a cloud tenant's subscription", task.NeedsCloud),
		},
	}
}

// word is the argument that says which tenant.
func word() cli.Arg { return cli.Arg{Name: "ID", Kind: task.TenantWord} }

// optionalWord is the same where the tenant in effect is meant without it.
func optionalWord() cli.Arg {
	return cli.Arg{Name: "ID", Kind: task.TenantWord, Optional: true}
}

// unsupported refuses what only a control plane can do.
func unsupported(what string) error {
	return fmt.Errorf("%s: %w: %s", what, cli.ErrUnsupported, task.NeedsCloud)
}

// unsupportedFor refuses it for a cloud tenant.
func unsupportedFor(t *task.Task, tenant registry.Tenant) error {
	return unsupported(fmt.Sprintf("%s: tenant %s", t.Command, tenant))
}

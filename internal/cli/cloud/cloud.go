// Package cloud has the commands on an account at a control plane, and the commands of the documents
// that belong to the application.
package cloud

import (
	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
)

const needsApplication = "this belongs to the application, not to its registry"

// Auth is `sp auth`.
func Auth() *cli.Command {
	return &cli.Command{Name: "auth", Usage: "your account at a control plane", Commands: []*cli.Command{Login(), Logout(), Whoami()}}
}

// Sync is `sp sync`.
func Sync() *cli.Command {
	return &cli.Command{Name: "sync", Usage: "send files to the cloud, or fetch them", Commands: []*cli.Command{
		cli.Later("push", "send files", task.NeedsCloud), cli.Later("pull", "fetch files", task.NeedsCloud),
	}}
}

// Deploy is `sp deploy`.
func Deploy() *cli.Command { return cli.Later("deploy", "deploy the application", needsApplication) }

// Infra is `sp infra`.
func Infra() *cli.Command {
	return &cli.Command{Name: "infra", Usage: "the infrastructure of the application", Commands: []*cli.Command{
		{Name: "db", Usage: "the database of the application", Commands: []*cli.Command{cli.Later("migrate", "run the migrations of that database", needsApplication)}},
	}}
}

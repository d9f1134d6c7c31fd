// Package cloud has the commands on a cloud account, and the commands of the documents that belong
// to the application.
package cloud

import "github.com/sp-registry/sp/internal/cli"

// Why a command is not offered.
const (
	NeedsCloud       = "this sp does not talk to SystemPrompt Cloud"
	needsApplication = "this belongs to the application, not to its registry"
)

// Auth is `sp auth`.
func Auth() *cli.Command {
	return &cli.Command{Name: "auth", Usage: "your account at SystemPrompt Cloud", Commands: []*cli.Command{Login()}}
}

// Login is `sp login`.
func Login() *cli.Command { return cli.Later("login", "log in to SystemPrompt Cloud", NeedsCloud) }

// Sync is `sp sync`.
func Sync() *cli.Command {
	return &cli.Command{Name: "sync", Usage: "send files to the cloud, or fetch them", Commands: []*cli.Command{
		cli.Later("push", "send files", NeedsCloud), cli.Later("pull", "fetch files", NeedsCloud),
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

// Package cloud has the commands on an account at a control plane, and the commands of the documents
// that belong to the application.
package cloud

import "github.com/sp-registry/sp/internal/cli"

// Auth is `sp auth`.
func Auth() *cli.Command {
	return &cli.Command{Name: "auth", Usage: "your account at a control plane", Commands: []*cli.Command{Login(), Logout(), Whoami()}}
}

// Deploy is `sp deploy`.
func Deploy() *cli.Command {
	return cli.OfApplication("deploy", "deploy the application", runsIt())
}

// Infra is `sp infra`.
func Infra() *cli.Command {
	return &cli.Command{Name: "infra", Usage: "the infrastructure of the application", Commands: []*cli.Command{
		{Name: "db", Usage: "the database of the application", Commands: []*cli.Command{cli.OfApplication("migrate", "run the migrations of that database", runsIt())}},
	}}
}

// runsIt says how the application's own command runs.
func runsIt() cli.Advice {
	return cli.Advise("%s runs a command of the application with its database and secrets", cli.To("sp exec", "--", "COMMAND"))
}

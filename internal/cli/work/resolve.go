// Package work has the everyday commands: which database is used and why, the state of the project,
// what is wrong with it, and programs that are run on the database: psql, or any.
package work

import (
	"context"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
)

// Resolve is `sp resolve`.
func Resolve() *cli.Command {
	tenant := cli.String("tenant", "ID", "print the URL of tenant ID, without a profile")
	tenant.Kind = task.TenantWord
	return &cli.Command{
		Name:  "resolve",
		Usage: "print the database URL of the profile in effect",
		Description: "The first source that names a profile decides: --profile, SYSTEMPROMPT_PROFILE,\n" +
			"the session of the selected tenant, the default. If it names something unusable,\n" +
			"that is an error. sp explain says which source decided, and why.\n\n" +
			"To run a program or open psql, use sp exec or sp psql: they stop if nothing\n" +
			"resolves, and keep the password out of the list of processes.\n\n" +
			"  DATABASE_URL=$(sp resolve) && export DATABASE_URL\n" +
			"  sp resolve --profile production --network external",
		Flags: []cli.Flag{task.Network(), tenant},
		Run:   task.Run(resolve),
	}
}

func resolve(ctx context.Context, t *task.Task) (cli.Answer, error) {
	tenant := t.Optional("tenant")
	if tenant != nil && t.IsSet("profile") { // before one of them is looked up
		return cli.Answer{}, cli.Usage("--tenant excludes --profile")
	}
	dir, err := t.Project()
	if err != nil {
		return cli.Answer{}, err
	}
	view, err := t.View(ctx)
	if err != nil {
		return cli.Answer{}, err
	}
	request := t.Request(dir)
	if tenant != nil {
		found, err := view.FindTenant(ctx, *tenant)
		if err != nil {
			return cli.Answer{}, err
		}
		request.Tenant = &found.ID
	}
	c, err := connect(ctx, t, view, request)
	if err != nil {
		return cli.Answer{}, err
	}
	url, err := printed(c)
	return cli.Answer{Value: connectionOf(c, c.URL.Reveal()), Text: url}, err
}

// connect resolves a request. That a variable leads to another tenant than the selected one is said.
func connect(ctx context.Context, t *task.Task, view *registry.View, request resolver.Request) (resolver.Connection, error) {
	c, err := resolver.Resolve(ctx, view, request)
	if err != nil {
		return c, task.AdviseResolving(err)
	}
	if c.Source == resolver.FromEnvironment {
		err = t.TellOther(ctx, view, resolver.Finding{Source: c.Source, Profile: c.Profile, Tenant: &c.Tenant})
	}
	return c, err
}

// printed is the URL and nothing else. One that holds a control character would be more than one
// line, one with an invisible character another URL than it looks: neither is a URL.
func printed(c resolver.Connection) (string, error) {
	url := c.URL.Reveal()
	if cli.Printable(url) != url {
		return "", cli.Hint(cli.Of(registry.ErrNoURL, "tenant %s: the URL holds a control or invisible character", c.Tenant.ID),
			"%s", cli.To("sp tenant edit", string(c.Tenant.ID), "--database-url-stdin"))
	}
	return url + "\n", nil
}

// connection is a connection in JSON.
type connection struct {
	Source  resolver.Source  `json:"source"`
	Profile *task.ProfileRef `json:"profile"`
	Tenant  task.TenantRef   `json:"tenant"`
	URL     string           `json:"url"`
}

func connectionOf(c resolver.Connection, url string) connection {
	return connection{Source: c.Source, Profile: profileOf(c.Profile), Tenant: task.RefOf(c.Tenant), URL: url}
}

func profileOf(p *registry.Profile) *task.ProfileRef {
	if p == nil {
		return nil
	}
	return &task.ProfileRef{Name: p.Name}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
	"github.com/urfave/cli/v3"
)

func profileFlags() []cli.Flag {
	return []cli.Flag{
		stringFlag("profile", "work in the profile `NAME`, or in that of a path to a profile.yaml"),
		stringFlag("network", "`external` reaches a cloud tenant's database from outside"),
	}
}

func (a *app) resolveCommand() *cli.Command {
	return &cli.Command{
		Name:  "resolve",
		Usage: "print the database URL of the profile in effect",
		Description: "The first source that names a profile decides: --profile, SYSTEMPROMPT_PROFILE,\n" +
			"the session of the selected tenant, the default. One that names something\n" +
			"unusable is an error. sp explain says which decided, and why.\n\n" +
			"To open psql there, use sp psql: it refuses where nothing resolves, and keeps the\n" +
			"password out of the list of processes.\n\n" +
			"  DATABASE_URL=$(sp resolve) && export DATABASE_URL\n" +
			"  sp resolve --profile production --network external",
		Flags: append(profileFlags(), stringFlag("tenant", "the tenant `ID`, without a profile")),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return a.resolve(ctx, a.request(cmd), optional(cmd, "tenant"))
		},
	}
}

// request is what the flags and the environment ask for.
func (a *app) request(cmd *cli.Command) resolver.Request {
	return resolver.Request{
		Flag:    optional(cmd, "profile"),
		Env:     a.env("SYSTEMPROMPT_PROFILE"),
		Network: resolver.Network(cmd.String("network")),
	}
}

// profileReader lets the resolver turn paths into names.
func (a *app) profileReader(dir project.Dir) func(string) (string, *registry.TenantID, error) {
	return func(path string) (string, *registry.TenantID, error) {
		full, err := a.absolute(path)
		if err != nil {
			return "", nil, err
		}
		return readProfile(dir, full)
	}
}

// readProfile returns the name of the profile that an absolute path stands for, and the
// tenant that its file names, if it names one.
func readProfile(dir project.Dir, path string) (name string, tenant *registry.TenantID, err error) {
	name, text, err := dir.ReadProfile(path)
	if err != nil {
		return "", nil, err
	}
	if tenant, err = follow.TenantOf(text); err != nil {
		return "", nil, fmt.Errorf("profile %s: %w", path, err)
	}
	return name, tenant, nil
}

func (a *app) resolve(ctx context.Context, request resolver.Request, tenant *string) error {
	if tenant != nil && request.Flag != nil { // before one of them is looked up
		return usage("--tenant excludes --profile")
	}
	return a.read(ctx, func(dir project.Dir, view *registry.View) error {
		request.ReadProfile = a.profileReader(dir)
		if tenant != nil {
			found, err := view.FindTenant(ctx, *tenant)
			if err != nil {
				return err
			}
			request.Tenant = &found.ID
		}
		c, err := resolver.Resolve(ctx, view, request)
		if err != nil {
			return adviseResolving(err)
		}
		if a.json {
			return a.document(connectionOf(c, c.URL.Reveal()))
		}
		return a.printURL(c)
	})
}

// printURL answers the URL and nothing else. One that holds a control character
// would be more than one line, one with an invisible character another URL than it
// looks: neither is a URL.
func (a *app) printURL(c resolver.Connection) error {
	url := c.URL.Reveal()
	if printable(url) != url {
		return withHint(fmt.Errorf("tenant %s: the URL holds a control or invisible character: %w", c.Tenant.ID, registry.ErrNoURL),
			"sp tenant edit %s --database-url-stdin", project.Quoted(string(c.Tenant.ID)))
	}
	_, err := io.WriteString(&a.out, url+"\n")
	return err
}

// connection is a connection in JSON.
type connection struct {
	Source  resolver.Source   `json:"source"`
	Profile *string           `json:"profile"`
	Tenant  registry.TenantID `json:"tenant_id"`
	Name    string            `json:"tenant_name"`
	Kind    registry.Kind     `json:"tenant_type"`
	URL     string            `json:"url"`
}

func connectionOf(c resolver.Connection, url string) connection {
	answer := connection{Source: c.Source, Tenant: c.Tenant.ID, Name: c.Tenant.Name, Kind: c.Tenant.Kind, URL: url}
	if c.Profile != nil {
		answer.Profile = &c.Profile.Name
	}
	return answer
}

// adviseResolving adds what helps with an error of resolving.
func adviseResolving(err error) error {
	var nothing *resolver.NothingError
	var url *resolver.URLError
	switch {
	case errors.As(err, &nothing) && nothing.Selection.Tenant == nil:
		return withHint(err, noTenantHint+"\nor name a profile: --profile NAME")
	case errors.As(err, &nothing):
		return withHint(err, "sp session switch NAME, or --profile NAME\nsp profile create NAME links a new one to the selected tenant")
	case errors.As(err, &url):
		return withHint(err, "%s", urlAdvice(url))
	}
	return err
}

func urlAdvice(e *resolver.URLError) string {
	id := project.Quoted(string(e.Tenant)) // it may be copied into a shell
	switch {
	case e.Fault == resolver.Off:
		return fmt.Sprintf("sp tenant edit %s --external-db-access, if it has one", id)
	case e.Member == "internal_database_url":
		return fmt.Sprintf("sp tenant edit %s --internal-database-url-stdin", id)
	}
	if e.Fault == resolver.Absent || e.Fault == resolver.Empty {
		return fmt.Sprintf("sp tenant provision %s makes a database, sp tenant edit %s --database-url-stdin names one", id, id)
	}
	return fmt.Sprintf("sp tenant edit %s --database-url-stdin", id)
}

package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
	"github.com/sp-registry/sp/internal/workspace"
	"github.com/urfave/cli/v3"
)

// What commands that have not moved yet share with those that have.

// unsafe is how a file stands that is not a regular one.
const unsafe = workspace.Unsafe

// errUnwell is what doctor ended with when something was wrong.
var errUnwell = errors.New("something is wrong")

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

// some names the first of several things.
func some(names []string) string {
	const most = 5
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " and others"
	}
	return strings.Join(names, ", ")
}

// warnOfToken is the warning of the playbook.
func (a *app) warnOfToken(id registry.TenantID) {
	a.note("warning: Sync token missing for cloud tenant %s", id)
}

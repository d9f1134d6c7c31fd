package tenant

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

// The flags for what a framework needs beside a tenant's database.
const (
	extensionFlag = "extension"
	createdbFlag  = "createdb"
)

func extrasFlags() []cli.Flag {
	return []cli.Flag{
		cli.Strings(extensionFlag, "NAME", "make this PostgreSQL extension (repeatable)"),
		cli.Bool(createdbFlag, "make test_DB and shadow_DB, too, for tests"),
	}
}

// wantedExtras are the extras that the flags ask for.
func wantedExtras(t *task.Task) hosting.Extras {
	return hosting.Extras{Extensions: t.Strings(extensionFlag), Databases: t.Bool(createdbFlag)}
}

// checkExtras refuses an extension that is named twice.
func checkExtras(t *task.Task) error {
	names := slices.Sorted(slices.Values(t.Strings(extensionFlag)))
	if len(slices.Compact(names)) < len(t.Strings(extensionFlag)) {
		return cli.Usage("%s: --%s: the same one is named twice", t.Command, extensionFlag)
	}
	return nil
}

// argumentsFor are the flags that ask for extras.
func argumentsFor(x hosting.Extras) (args []string) {
	for _, name := range x.Extensions {
		args = append(args, "--"+extensionFlag, name)
	}
	if x.Databases {
		args = append(args, "--"+createdbFlag)
	}
	return args
}

// tellExtras says which extras a database has now.
func tellExtras(t *task.Task, d *task.DatabaseRecord, x hosting.Extras) {
	if d == nil {
		return
	}
	if len(x.Extensions) > 0 {
		t.Note("extensions in database %s: %s", d.Name, strings.Join(x.Extensions, ", "))
	}
	if x.Databases {
		t.Note("databases for tests, with the same login: %s", strings.Join(task.ExtraNames(d.Name), ", "))
	}
}

// adviseExtension says what helps where an extension is not made.
func adviseExtension(err error, id registry.TenantID) error {
	var unknown *provision.NoExtensionError
	switch {
	case errors.As(err, &unknown):
		install := fmt.Sprintf("if it has to be installed on the server: on Debian its package is often called postgresql-%d-NAME", unknown.Version)
		if near := cli.Near(unknown.Name, unknown.Known); len(near) > 0 {
			return cli.WithCandidates(cli.Hint(err, "did you mean %s?\n%s", strings.Join(near, ", "), install), near...)
		}
		return cli.Hint(err, "%s\nsp makes these there: %s", install, strings.Join(unknown.Known, ", "))
	case errors.Is(err, provision.ErrNoSchema) && id != "":
		return cli.Hint(err, "%s, then say it again", cli.To("sp psql", string(id), "--", "-c", "CREATE SCHEMA public"))
	case errors.Is(err, provision.ErrNotMade) && id != "":
		return cli.Hint(err, "if you trust the tenant with that: %s, then CREATE EXTENSION", cli.To("sp db psql", string(id)))
	case errors.Is(err, provision.ErrNotMade):
		return cli.Hint(err, "if you trust the tenant with that: create it without, then %s and CREATE EXTENSION", cli.To("sp db psql", "ID"))
	}
	return err
}

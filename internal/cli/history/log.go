// Package history has the commands on past changes and whole registries: log, undo, backup and
// restore.
package history

import (
	"context"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
)

// Log is `sp log`.
func Log() *cli.Command {
	return &cli.Command{
		Name:  "log",
		Usage: "list what was changed or purged, and when",
		Args:  []cli.Arg{{Name: "TENANT", Kind: task.TenantWord, Optional: true}},
		Description: "The newest change comes first. The log has every change of tenants, profiles,\n" +
			"sessions, the selected tenant and the default profile, and every restore and\n" +
			"purge. It does not say which files follow the registry.\n" +
			"With TENANT, it shows only what concerns that tenant. Name a deleted tenant by\n" +
			"its whole id.\n" +
			"Columns: sequence (for sp undo and --at), time, command, what it did. A terminal\n" +
			"under 100 columns leaves the command out. --json adds the members before and\n" +
			"after, with secrets as digests.\n\n" +
			"  sp log purge    forgets the removed secrets that sp undo could bring back",
		Flags:    []cli.Flag{task.Limit(), task.After("SEQUENCE")},
		Commands: []*cli.Command{purgeCommand()},
		Run:      task.Run(log),
	}
}

func log(ctx context.Context, t *task.Task) (cli.Answer, error) {
	page, err := t.Page()
	if err != nil {
		return cli.Answer{}, err
	}
	view, err := t.View(ctx)
	if err != nil {
		return cli.Answer{}, err
	}
	tenant, err := tenantOf(ctx, t, view)
	if err != nil {
		return cli.Answer{}, err
	}
	say := sayer{names: task.NamesIn(ctx, view), now: t.Now(), terminal: t.IsTerminal(), json: t.JSON}
	heads := []string{"SEQ", "WHEN", "AGE", "", "WHAT IT DID"}
	if wide := t.Columns(); wide >= 100 {
		say.command, heads[3] = wide/4, "COMMAND"
	}
	a := task.ListOf("changes", heads, view.Changes(ctx, tenant, page), say.row)
	a.Title, a.Wrap, a.Empty = "Log", true, "No change yet. "+cli.To("sp tenant create").String()+" makes a tenant."
	if tenant != nil {
		a.Empty = "No change of that tenant yet."
	}
	return a, err
}

// tenantOf returns the id of the tenant that was named, by a word or a profile: deleted or not, and nil
// where none was. Without either, the log is of all tenants.
func tenantOf(ctx context.Context, t *task.Task, view *registry.View) (*registry.TenantID, error) {
	word := t.Arg(0)
	if t.IsSet("profile") {
		dir, err := t.Project()
		if err != nil {
			return nil, err
		}
		tenant, err := t.Tenant(ctx, dir, view, word)
		return &tenant.ID, err
	}
	if word == nil {
		return nil, nil
	}
	id, err := view.FindPastTenant(ctx, *word)
	return &id, err
}

// sayer tells changes: to programs in the words that they know, to people in sentences.
type sayer struct {
	names          task.Names
	now            time.Time
	command        int // the columns of the terminal that the command may have; 0 leaves it out
	terminal, json bool
}

func (s sayer) row(c registry.Change) cli.Row {
	switch {
	case s.json:
		return cli.Row{Value: recordOf(c, s.names)}
	case s.terminal:
		return cli.Row{Cells: s.sentence(c)}
	}
	return cli.Row{Cells: cells(c)}
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

func (a *app) logCommand() *cli.Command {
	return &cli.Command{
		Name:      "log",
		Usage:     "what was changed or purged, when and by which command; newest first",
		ArgsUsage: "[TENANT]",
		Description: "Changes of tenants and of what stands beside them, of profiles, sessions, selection and\n" +
			"default, restores and purges; not which files follow the registry.\n" +
			"TENANT: only what concerns it; a deleted one by its whole id.\n" +
			"Columns: sequence (for sp undo and --at), instant, command, what it did. --json shows\n" +
			"members before and after; secrets are digests.\n\n" +
			"  sp log purge    forgets the removed secrets that sp undo could bring back",
		Flags: []cli.Flag{
			limitFlag(),
			stringFlag("after", "only changes older than `SEQUENCE`"),
		},
		Commands: []*cli.Command{a.logPurgeCommand()},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			page, err := pageOf(cmd)
			if err != nil {
				return err
			}
			return a.read(ctx, func(_ project.Dir, view *registry.View) error {
				tenant, err := tenantOfHistory(ctx, view, argument(cmd, 0))
				if err != nil {
					return err
				}
				changes := view.Changes(ctx, tenant, page)
				if a.json {
					return documentList(a, "changes", each(changes, changeOf))
				}
				return a.table("Log", each(changes, changeRow))
			})
		},
	}
}

// change is a change in JSON.
type change struct {
	Sequence int64   `json:"sequence"`
	At       string  `json:"at"`
	Command  string  `json:"command"`
	Undoes   *int64  `json:"undoes,omitempty"`
	Restored *int64  `json:"restored,omitempty"`
	Purged   bool    `json:"purged,omitempty"`
	Entries  []entry `json:"entries"`
	Omitted  int     `json:"omitted,omitempty"`
}

// entry is what a change did to one thing; null says that it was not there.
type entry struct {
	Entity registry.Entity            `json:"entity"`
	ID     string                     `json:"id"`
	Tenant registry.TenantID          `json:"tenant_id,omitempty"`
	Before map[string]json.RawMessage `json:"before"`
	After  map[string]json.RawMessage `json:"after"`
}

func changeOf(c registry.Change) change {
	shown := change{
		Sequence: c.Sequence, At: registry.FormatTime(c.MadeAt), Command: c.Command,
		Undoes: c.Undoes, Restored: c.Restored, Purged: c.Purged, Entries: []entry{}, Omitted: c.Omitted,
	}
	for _, e := range c.Entries {
		shown.Entries = append(shown.Entries, entry(e))
	}
	return shown
}

func changeRow(c registry.Change) []string {
	did := describeEntries(c)
	switch {
	case c.Undoes != nil:
		did = fmt.Sprintf("undid %d: %s", *c.Undoes, did)
	case c.Restored != nil:
		did = fmt.Sprintf("restored a backup of change %d", *c.Restored)
	case c.Purged:
		did = "purged what could be brought back"
	}
	return []string{fmt.Sprint(c.Sequence), registry.FormatTime(c.MadeAt.Truncate(time.Second)), c.Command, did}
}

func (a *app) logPurgeCommand() *cli.Command {
	return &cli.Command{
		Name:  "purge",
		Usage: "forget the secrets that changes removed, and the automatic copies",
		Description: "Removed secrets are kept for 7 days so that sp undo can put them back, and a migration\n" +
			"or sp restore leaves a copy of the registry for as long. This ends both at once.",
		Flags: []cli.Flag{yesFlag()},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := a.confirm(ctx, cmd, "forget what sp undo and the automatic copies could bring back?"); err != nil {
				return err
			}
			return a.purge(ctx)
		},
	}
}

// purge forgets the secrets first: the copies go only when that is sure.
func (a *app) purge(ctx context.Context) error {
	dir, err := a.project()
	if err != nil {
		return err
	}
	copies, _ := db.Copies(dir.Registry()) // removing them says what is the matter
	var secrets int
	err = a.change(ctx, a.others(func(ctx context.Context, reg *registry.Registry) (err error) {
		secrets, err = reg.PurgeSecrets(ctx, len(copies) > 0)
		return err
	}))
	if !made(err) {
		return err
	}
	removed, trouble := db.RemoveCopies(dir.Registry())
	if trouble != nil {
		err = errors.Join(err, fmt.Errorf("%w: %w", registry.ErrIncomplete, trouble))
	}
	a.note("%s forgotten, %s removed", counted(secrets, "secret"), counted(len(removed), "automatic copy"))
	if a.json && err == nil {
		return a.document(map[string]int{"secrets": secrets, "copies": len(removed)})
	}
	return err
}

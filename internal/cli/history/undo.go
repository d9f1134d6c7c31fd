package history

import (
	"context"
	"errors"
	"strconv"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// Undo is `sp undo`.
func Undo() *cli.Command {
	sequence := task.Sequence
	sequence.Check = checkSequence
	return &cli.Command{
		Name:  "undo",
		Usage: "reverse a change (without SEQUENCE, the last one)",
		Args:  []cli.Arg{{Name: "SEQUENCE", Kind: sequence, Optional: true}},
		Description: "SEQUENCE is the number that sp log prints. Without it, sp reverses the last\n" +
			"change that was not undone yet. If a later change would be lost, sp does nothing\n" +
			"and names both changes. An undo is itself a change: to take it back, run sp undo\n" +
			"with its number. If sp made a database with the change, undo asks, drops it and\n" +
			"takes back the whole creation.",
		Flags: []cli.Flag{cli.Yes(), task.Purge(), task.NoExport()},
		Run:   task.Run(undo),
	}
}

func checkSequence(word string) error {
	if sequence, err := strconv.ParseInt(word, 10, 64); err != nil || sequence < 1 {
		return cli.Hint(cli.Usage("undo: SEQUENCE is a number, as sp log prints it"), "%s", cli.To("sp log"))
	}
	return nil
}

func undo(ctx context.Context, t *task.Task) (cli.Answer, error) {
	var sequence *int64
	if word := t.Arg(0); word != nil {
		number, _ := strconv.ParseInt(*word, 10, 64) // it was checked
		sequence = &number
	}
	u, err := undoOf(ctx, t, sequence)
	if err != nil {
		return cli.Answer{}, err
	}
	u.Purge = t.Bool("purge")
	if u.Database != nil {
		return undoCreation(ctx, t, u)
	}
	var undone registry.Undone
	c := t.Tenants(func(ctx context.Context, reg *registry.Registry) (err error) {
		undone, err = reg.Undo(ctx, u)
		return err
	})
	c.Bulk = true // as its import was
	err = t.Change(ctx, c)
	if !task.Made(err) {
		return cli.Answer{}, adviseUndo(err)
	}
	return tellUndone(ctx, t, undone, nil, err)
}

// adviseUndo says what helps if another tenant has the name of one that would come back, or if nothing can undo
// the change.
func adviseUndo(err error) error {
	if errors.As(err, new(interface{ Irreversible() })) {
		return cli.Hint(err, "%s reverses another change; %s shows which there are", cli.To("sp undo", "SEQUENCE"), cli.To("sp log"))
	}
	var taken *registry.NameTakenError
	if errors.As(err, &taken) {
		return cli.Hint(err, "%s gives that one another name first", cli.To("sp tenant edit", string(taken.Other), "--name", "NAME"))
	}
	return err
}

// undone is the answer to an undo: the change that it made, and the database that was dropped for it.
type undone struct {
	record
	Database *task.DatabaseRecord `json:"database"`
	Dropped  bool                 `json:"database_dropped"`
}

// tellUndone answers with an undo. err is what went wrong behind it.
func tellUndone(ctx context.Context, t *task.Task, done registry.Undone, dropped *registry.Database, err error) (cli.Answer, error) {
	shown, words, orphans := shownUndo(ctx, t, done.By)
	t.Note("%s undone: %s", done.Change, words)
	answer := undone{record: shown, Dropped: dropped != nil}
	if dropped != nil {
		d := task.DatabaseOf(*dropped)
		answer.Database = &d
	}
	for _, id := range withoutDatabase(done.By) {
		t.Note("tenant %s is back without a database; %s makes one", id, cli.To("sp tenant provision", id))
	}
	return cli.Answer{Value: answer}, errors.Join(err, task.Afterwards(orphans))
}

// withoutDatabase are the local tenants that a change brought back and that have no URL: what was dropped
// stays so.
func withoutDatabase(by registry.Change) (ids []string) {
	for _, e := range by.Entries {
		_, has := e.After["database_url"]
		isLocal := string(e.After["tenant_type"]) == `"`+string(registry.Local)+`"`
		if e.Entity == registry.TenantEntity && e.Before == nil && isLocal && !has {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// shownUndo returns the change that an undo made, in JSON and in words. It also names databases whose
// tenants are gone.
func shownUndo(ctx context.Context, t *task.Task, by registry.Change) (shown record, words string, err error) {
	words = describeEntries(by)
	ctx = context.WithoutCancel(ctx) // the change itself is made
	err = t.Read(ctx, func(_ project.Dir, view *registry.View) error {
		names := task.NamesIn(ctx, view)
		switch {
		case t.JSON:
			shown = recordOf(by, names)
		case t.IsTerminal():
			words = sayer{names: names}.words(by)
		}
		return t.TellOrphansOf(ctx, view)
	})
	return shown, words, err
}

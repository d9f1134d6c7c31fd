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
			"with its number.",
		Flags: []cli.Flag{task.Purge(), task.NoExport()},
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
	u := registry.Undo{Purge: t.Bool("purge")}
	if word := t.Arg(0); word != nil {
		sequence, _ := strconv.ParseInt(*word, 10, 64) // it was checked
		u.Sequence = &sequence
	}
	var undone registry.Undone
	err := t.Change(ctx, t.Tenants(func(ctx context.Context, reg *registry.Registry) (err error) {
		undone, err = reg.Undo(ctx, u)
		return err
	}))
	var taken *registry.NameTakenError
	if errors.As(err, &taken) {
		return cli.Answer{}, cli.Hint(err, "%s gives that one another name first", cli.To("sp tenant edit", string(taken.Other), "--name", "NAME"))
	}
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	shown, words, orphans := shownUndo(ctx, t, undone.By)
	t.Note("%s undone: %s", undone.Change, words)
	return cli.Answer{Value: shown}, errors.Join(err, task.Afterwards(orphans))
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

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
		Usage: "reverse a change, the last one without SEQUENCE",
		Args:  []cli.Arg{{Name: "SEQUENCE", Kind: sequence, Optional: true}},
		Description: "SEQUENCE is the number that sp log prints. Where a later change would be lost,\n" +
			"nothing happens and both are named. An undo is a change itself: sp undo with its\n" +
			"number takes it back. Without a number it takes the last change that was not\n" +
			"undone yet.",
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

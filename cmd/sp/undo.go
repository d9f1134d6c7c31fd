package main

import (
	"cmp"
	"context"
	"errors"
	"strconv"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

func (a *app) undoCommand() *cli.Command {
	return &cli.Command{
		Name:      "undo",
		Usage:     "reverse a change, the last one without SEQUENCE",
		ArgsUsage: "[SEQUENCE]",
		Description: "SEQUENCE is the number that sp log prints. Where a later change would be lost, nothing\n" +
			"happens and both are named. An undo is a change itself: sp undo with its number takes\n" +
			"it back. Without a number it takes the last change that was not undone yet.",
		Flags: []cli.Flag{purgeFlag(), a.noExportFlag()},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			u := registry.Undo{Purge: cmd.Bool("purge")}
			if word := argument(cmd, 0); word != nil {
				sequence, err := strconv.ParseInt(*word, 10, 64)
				if err != nil || sequence < 1 {
					return withHint(usage("undo: SEQUENCE is a number, as sp log prints it"), "sp log")
				}
				u.Sequence = &sequence
			}
			return a.undo(ctx, u)
		},
	}
}

func (a *app) undo(ctx context.Context, u registry.Undo) error {
	var undone registry.Undone
	err := a.change(ctx, a.tenants(func(ctx context.Context, reg *registry.Registry) (err error) {
		undone, err = reg.Undo(ctx, u)
		return err
	}))
	var taken *registry.NameTakenError
	if errors.As(err, &taken) {
		return withHint(err, "sp tenant edit %s --name NAME gives that one another name first", project.Quoted(string(taken.Other)))
	}
	if !made(err) {
		return err
	}
	a.note("%s undone: %s", undone.Change, describeEntries(undone.By))
	err = errors.Join(err, afterwards(a.tellOrphans(ctx)))
	if a.json {
		err = cmp.Or(err, a.document(changeOf(undone.By)))
	}
	return err
}

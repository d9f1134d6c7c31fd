package main

import (
	"context"
	"iter"
	"time"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

// list is one request for a list: what of it, and from where.
type list struct {
	cmd  *cli.Command
	view *registry.View
	page registry.Page
	// hidden tells that --stale asks for nothing, because the registry is not stale.
	hidden bool
}

// listCommand completes a `list` command with what every list has; after names what
// --after takes.
func (a *app) listCommand(after string, cmd *cli.Command, answer func(context.Context, list) error) *cli.Command {
	cmd.Name = "list"
	cmd.Flags = append([]cli.Flag{
		limitFlag(),
		stringFlag("after", "only rows behind `"+after+"`"),
		boolFlag("stale", "only if the last sync is longer ago than --max-age"),
		maxAgeFlag(),
	}, cmd.Flags...)
	cmd.Action = func(ctx context.Context, cmd *cli.Command) error {
		page, err := pageOf(cmd)
		if err != nil {
			return err
		}
		l := list{cmd: cmd, page: page}
		return a.read(ctx, func(_ project.Dir, view *registry.View) error {
			l.view = view
			if cmd.Bool("stale") {
				state, err := view.State(ctx)
				if err != nil {
					return err
				}
				l.hidden = !state.Document.IsStale(a.now(), cmd.Duration("max-age"))
			}
			return answer(ctx, l)
		})
	}
	return cmd
}

func limitFlag() cli.Flag {
	return &cli.IntFlag{Name: "limit", Usage: "at most `N` rows", HideDefault: true, OnlyOnce: true}
}

// pageOf is the part of a list that --limit and --after ask for.
func pageOf(cmd *cli.Command) (registry.Page, error) {
	page := registry.Page{After: cmd.String("after"), Limit: cmd.Int("limit")}
	if cmd.IsSet("limit") && page.Limit < 1 {
		return page, usage("--limit: at least 1")
	}
	return page, nil
}

// answerList answers values as rows or, with --json, as one document.
func answerList[T, J any](a *app, l list, name string, values iter.Seq2[T, error], asJSON func(T) J, row func(T) []string) error {
	if l.hidden {
		values = func(func(T, error) bool) {}
	}
	if a.json {
		return documentList(a, name, each(values, asJSON))
	}
	heading := string(name[0]-'a'+'A') + name[1:]
	return a.table(heading, each(values, row))
}

// defaultMaxAge is how old a sync may be before the registry counts as stale.
const defaultMaxAge = 24 * time.Hour

func maxAgeFlag() cli.Flag {
	return &cli.DurationFlag{Name: "max-age", Usage: "how old the last sync may be, such as `24h`", Value: defaultMaxAge, HideDefault: true, OnlyOnce: true}
}

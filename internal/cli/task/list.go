package task

import (
	"context"
	"iter"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/registry"
)

// List returns a `list` command and adds the flags of every list. after names the value of --after. What
// before does, unless it is nil, comes before the list is read.
func List(after string, command *cli.Command, before func(context.Context, *Task) error, answer func(context.Context, *Task, *registry.View, registry.Page) (cli.Answer, error)) *cli.Command {
	command.Name = "list"
	command.Flags = append([]cli.Flag{
		Limit(),
		After(after),
		cli.Bool("stale", "list only if the last sync is older than --max-age"),
		MaxAge(),
	}, command.Flags...)
	command.Run = Run(func(ctx context.Context, t *Task) (cli.Answer, error) {
		page, err := t.Page()
		if err != nil {
			return cli.Answer{}, err
		}
		if before != nil {
			if err := before(ctx, t); err != nil {
				return cli.Answer{}, err
			}
		}
		view, err := t.View(ctx)
		if err != nil {
			return cli.Answer{}, err
		}
		state, err := view.State(ctx)
		if err != nil {
			return cli.Answer{}, err
		}
		a, err := answer(ctx, t, view, page)
		if t.Bool("stale") && !state.Document.IsStale(t.Now(), t.Duration("max-age")) {
			a.Rows = cli.Rows()
		}
		return a, err
	})
	return command
}

// Limit returns the flag --limit.
func Limit() cli.Flag { return cli.Int("limit", "N", "at most N rows") }

// After returns the flag --after, which names the row after which a list begins.
func After(what string) cli.Flag {
	f := cli.String("after", what, "only rows after "+what)
	f.Empty = true // from the start
	return f
}

// Page returns the part of a list that --limit and --after ask for.
func (t *Task) Page() (registry.Page, error) {
	page := registry.Page{After: t.String("after"), Limit: t.Int("limit")}
	if t.IsSet("limit") && page.Limit < 1 {
		return page, cli.Usage("--limit: at least 1")
	}
	return page, nil
}

// DefaultMaxAge is how old a sync may be before the registry counts as stale.
const DefaultMaxAge = 24 * time.Hour

// MaxAge returns the flag --max-age.
func MaxAge() cli.Flag {
	return cli.Duration("max-age", DefaultMaxAge, "how old the last sync may be")
}

// ListOf returns an answer with a row for each value, in a list of the given name.
func ListOf[T any](name string, heads []string, values iter.Seq2[T, error], row func(T) cli.Row) cli.Answer {
	return cli.Answer{List: name, Title: string(name[0]-'a'+'A') + name[1:], Heads: heads, Rows: cli.Each(values, row)}
}

package profile

import (
	"context"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
)

func secretsList() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list the names of a profile's secrets, and whose they are",
		Description: "Columns: name, and whether the secret is the profile's or its tenant's. To\n" +
			"change a secret of the tenant, use sp tenant edit.",
		Flags: []cli.Flag{task.Limit(), task.After("NAME")},
		Run:   task.Run(listSecrets),
	}
}

func listSecrets(ctx context.Context, t *task.Task) (cli.Answer, error) {
	page, err := t.Page()
	if err != nil {
		return cli.Answer{}, err
	}
	p, all, err := secretsInEffect(ctx, t)
	if err != nil {
		return cli.Answer{}, err
	}
	a := task.ListOf("secrets", []string{"NAME", "OF"}, pageOf(all, page), func(s secretRecord) cli.Row {
		return cli.Row{Cells: []string{s.Name, s.where()}, Value: s}
	})
	a.Title = "Secrets of profile " + p.Name
	a.Empty = "Profile " + p.Name + " has no secrets. " + cli.To("sp secrets set", "KEY").String() + " sets one."
	return a, nil
}

// pageOf are the secrets that --limit and --after ask for.
func pageOf(all []secretRecord, page registry.Page) func(func(secretRecord, error) bool) {
	return func(yield func(secretRecord, error) bool) {
		shown := 0
		for _, s := range all {
			if page.After != "" && s.Name <= page.After {
				continue
			}
			if page.Limit > 0 && shown == page.Limit {
				return
			}
			if shown++; !yield(s, nil) {
				return
			}
		}
	}
}

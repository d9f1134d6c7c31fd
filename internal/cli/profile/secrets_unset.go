package profile

import (
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
)

func secretsUnset() *cli.Command {
	return &cli.Command{
		Name:  "unset",
		Usage: "remove secrets from a profile, all or none",
		Args:  []cli.Arg{{Name: "KEY", Kind: task.Secret}, {Name: "KEY", Kind: task.Secret, Optional: true, Repeated: true}},
		Description: "sp undo brings them back, unless you pass --purge, which asks first.\n\n" +
			"  sp secrets unset openai gemini",
		Flags: []cli.Flag{task.Purge(), task.NoExport(), cli.Yes()},
		Run:   task.Run(unsetSecrets),
	}
}

func unsetSecrets(ctx context.Context, t *task.Task) (a cli.Answer, err error) {
	err = t.UntilTold(ctx, func(ctx context.Context) error {
		p, err := profileToChange(ctx, t)
		if err != nil {
			return err
		}
		e := registry.SecretEdit{Profile: p.Name, Unset: t.Args(), Purge: t.Bool("purge")}
		if e.Purge {
			question := fmt.Sprintf("Remove %s of profile %s of tenant %s for good?", cli.Counted(len(e.Unset), "secret"), p.Name, p.Tenant)
			if err := t.Confirm(ctx, question); err != nil {
				return err
			}
		}
		a, err = editSecrets(ctx, t, e, nil)
		return err
	})
	return a, err
}

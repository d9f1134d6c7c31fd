package profile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

func secretsSet() *cli.Command {
	return &cli.Command{
		Name:  "set",
		Usage: "set a secret of a profile",
		Args:  []cli.Arg{{Name: "KEY", Kind: task.Secret}},
		Description: "The value comes from stdin or --file; at a terminal, sp asks for it and does not\n" +
			"show what you type. One newline at its end is dropped. The value is never an\n" +
			"argument, because other users can read arguments.\n\n" +
			"  pass show anthropic | sp secrets set anthropic --profile production",
		Flags: []cli.Flag{cli.String("file", "FILE", "read the value from FILE"), task.Purge(), task.NoExport()},
		Run:   task.Run(setSecret),
	}
}

func setSecret(ctx context.Context, t *task.Task) (a cli.Answer, err error) {
	key := *t.Arg(0)
	if strings.Contains(key, "=") {
		return a, cli.Hint(cli.Usage("secrets set: a value is not given as an argument, which others can read"), "printf %%s \"$VALUE\" | %s", cli.To("sp secrets set", "KEY"))
	}
	if err := registry.CheckProfileSecret(registry.ProfileSecret{Key: key, Value: secret.New("any")}); err != nil {
		return a, adviseSecret(err, key) // before a value is asked for
	}
	err = t.UntilTold(ctx, func(ctx context.Context) error {
		p, err := profileToChange(ctx, t)
		if err != nil {
			return err
		}
		value, err := secretValue(ctx, t, fmt.Sprintf("Value of %s of profile %s", key, p.Name))
		if err != nil {
			return err
		}
		e := registry.SecretEdit{Profile: p.Name, Put: []registry.ProfileSecret{{Key: key, Value: *value}}, Purge: t.Bool("purge")}
		a, err = editSecrets(ctx, t, e, nil)
		return err
	})
	return a, err
}

// adviseSecret adds what helps with a member of the tenant.
func adviseSecret(err error, key string) error {
	if slices.Contains(registry.TenantSecrets, key) {
		return cli.Hint(err, "%s sets it for the tenant and all its profiles", cli.To("sp tenant edit", "ID"))
	}
	return err
}

// secretValue reads the value from --file, or from stdin.
func secretValue(ctx context.Context, t *task.Task, prompt string) (*secret.Secret, error) {
	if t.IsSet("file") {
		return t.SecretFromFile("file")
	}
	return t.SecretFromStdin(ctx, prompt, "value")
}

// editedSecrets says in JSON which secrets of a profile were changed.
type editedSecrets struct {
	Profile task.ProfileRef `json:"profile"`
	Tenant  task.TenantRef  `json:"tenant"`
	Set     []string        `json:"set"`
	Unset   []string        `json:"unset"`
	// Left are those that an import did not take.
	Left []leftSecret `json:"left"`
}

// editSecrets changes secrets of a profile, and answers which.
func editSecrets(ctx context.Context, t *task.Task, e registry.SecretEdit, left []leftSecret) (cli.Answer, error) {
	done := editedSecrets{Profile: task.ProfileRef{Name: e.Profile}, Set: []string{}, Unset: append([]string{}, e.Unset...), Left: append([]leftSecret{}, left...)}
	for _, s := range e.Put {
		done.Set = append(done.Set, s.Key)
	}
	err := t.Change(ctx, t.Others(func(ctx context.Context, reg *registry.Registry) error {
		p, err := reg.EditSecrets(ctx, e)
		if err != nil {
			return err
		}
		return task.InView(ctx, reg, func(view *registry.View) (err error) {
			done.Tenant, err = task.RefIn(ctx, view, p.Tenant)
			return err
		})
	}))
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	done.tell(t)
	return cli.Answer{Value: done}, err
}

func (e editedSecrets) tell(t *task.Task) {
	what := "nothing to set"
	switch {
	case len(e.Set) > 0:
		what = "set " + strings.Join(e.Set, ", ")
	case len(e.Unset) > 0:
		what = "unset " + strings.Join(e.Unset, ", ")
	}
	t.Note("profile %s of tenant %s: %s", e.Profile.Name, e.Tenant.ID, what)
}

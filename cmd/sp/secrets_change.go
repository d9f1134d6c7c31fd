package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/urfave/cli/v3"
)

// secretsFlags are those of every change of secrets.
func (a *app) secretsFlags(more ...cli.Flag) []cli.Flag {
	return append([]cli.Flag{inProfileFlag()}, append(more, purgeFlag(), a.noExportFlag())...)
}

func (a *app) secretsSetCommand() *cli.Command {
	return &cli.Command{
		Name:      "set",
		Usage:     "set a secret of a profile",
		ArgsUsage: "KEY",
		Description: "The value comes from stdin, from --file or, at a terminal, is asked for and not shown;\n" +
			"one line end behind it is not part of it. It is never an argument: others can read those.\n\n" +
			"  pass show anthropic | sp secrets set anthropic --profile production",
		Flags: a.secretsFlags(stringFlag("file", "read the value from `FILE`")),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			key := cmd.Args().First()
			if strings.Contains(key, "=") {
				return withHint(usage("secrets set: a value is not given as an argument, which others can read"), "printf %%s \"$VALUE\" | sp secrets set KEY")
			}
			if err := registry.CheckProfileSecret(registry.ProfileSecret{Key: key, Value: secret.New("any")}); err != nil {
				return adviseSecret(err, key) // before a value is asked for
			}
			return a.untilTold(ctx, func(ctx context.Context) error { return a.setSecret(ctx, cmd, key) })
		},
	}
}

// adviseSecret adds what helps with a member of the tenant.
func adviseSecret(err error, key string) error {
	if slices.Contains(registry.TenantSecrets, key) {
		return withHint(err, "sp tenant edit ID sets it for the tenant and all its profiles")
	}
	return err
}

func (a *app) setSecret(ctx context.Context, cmd *cli.Command, key string) error {
	p, err := a.profileToChange(ctx, cmd)
	if err != nil {
		return err
	}
	value, err := a.secretValue(ctx, cmd, fmt.Sprintf("%s of profile %s", key, p.Name))
	if err != nil {
		return err
	}
	edit := registry.SecretEdit{Profile: p.Name, Put: []registry.ProfileSecret{{Key: key, Value: *value}}, Purge: cmd.Bool("purge")}
	return a.editSecrets(ctx, edit, map[string][]string{"set": {key}})
}

// secretValue reads the value from --file, or from stdin.
func (a *app) secretValue(ctx context.Context, cmd *cli.Command, prompt string) (*secret.Secret, error) {
	if !cmd.IsSet("file") {
		return a.readStdin(ctx, prompt, "value")
	}
	path, err := a.absolute(cmd.String("file"))
	if err != nil {
		return nil, err
	}
	return readSecretFile(path, "--file")
}

// editSecrets changes secrets of a profile, and reports which, and its tenant.
func (a *app) editSecrets(ctx context.Context, edit registry.SecretEdit, done map[string][]string) error {
	var p registry.Profile
	err := a.change(ctx, a.others(func(ctx context.Context, reg *registry.Registry) (err error) {
		p, err = reg.EditSecrets(ctx, edit)
		return err
	}))
	if !made(err) {
		return err
	}
	for _, what := range []string{"set", "unset"} {
		if names := done[what]; len(names) > 0 {
			a.note("profile %s of tenant %s: %s %s", p.Name, p.Tenant, what, strings.Join(names, ", "))
		}
	}
	if a.json {
		answer := map[string]any{"profile": p.Name, "tenant_id": p.Tenant}
		for what, names := range maps.All(done) {
			answer[what] = append([]string{}, names...)
		}
		err = cmp.Or(err, a.document(answer))
	}
	return err
}

func (a *app) secretsUnsetCommand() *cli.Command {
	return &cli.Command{
		Name:        "unset",
		Usage:       "take secrets of a profile away, all or none",
		ArgsUsage:   "KEY [KEY...]",
		Description: "sp undo brings them back, unless --purge, which asks.\n\n  sp secrets unset openai gemini",
		Flags:       a.secretsFlags(yesFlag()),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return a.untilTold(ctx, func(ctx context.Context) error { return a.unsetSecrets(ctx, cmd) })
		},
	}
}

func (a *app) unsetSecrets(ctx context.Context, cmd *cli.Command) error {
	p, err := a.profileToChange(ctx, cmd)
	if err != nil {
		return err
	}
	edit := registry.SecretEdit{Profile: p.Name, Unset: cmd.Args().Slice(), Purge: cmd.Bool("purge")}
	if edit.Purge {
		question := fmt.Sprintf("take %s of profile %s of tenant %s away for good?", counted(len(edit.Unset), "secret"), p.Name, p.Tenant)
		if err := a.confirm(ctx, cmd, question); err != nil {
			return err
		}
	}
	return a.editSecrets(ctx, edit, map[string][]string{"unset": edit.Unset})
}

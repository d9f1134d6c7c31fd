package profile

import (
	"context"
	"fmt"
	"slices"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
)

func secretsGet() *cli.Command {
	return &cli.Command{
		Name:  "get",
		Usage: "show a secret (masked without --reveal)",
		Args:  []cli.Arg{{Name: "KEY", Kind: task.Secret}},
		Description: "--reveal prints the value and a newline, and nothing else. When the output goes\n" +
			"to a pipe or a file, --reveal is required, because a script could mistake the\n" +
			"stars for the value.\n\n" +
			"  sp secrets get anthropic --reveal",
		Flags: []cli.Flag{cli.Bool("reveal", "print the value instead of masking it")},
		Run:   task.Run(getSecret),
	}
}

func getSecret(ctx context.Context, t *task.Task) (cli.Answer, error) {
	key, how := *t.Arg(0), task.Showing(t.Bool("reveal"))
	p, all, err := secretsInEffect(ctx, t)
	if err != nil {
		return cli.Answer{}, err
	}
	at := slices.IndexFunc(all, func(s secretRecord) bool { return s.Name == key })
	switch {
	case at < 0:
		err := fmt.Errorf("secret %s of profile %s: %w", cli.Harmless(key), p.Name, registry.ErrNotFound)
		return cli.Answer{}, cli.Hint(err, "%s", cli.To("sp secrets list", "--profile", p.Name))
	case how == task.Masked && !t.IsTerminal():
		return cli.Answer{}, cli.Hint(cli.Usage("secrets get: the answer goes into a pipe or a file, where stars would pass for the value"),
			"%s prints the value", cli.To("sp secrets get", key, "--reveal"))
	}
	return tellSecret(t, all[at], how), nil
}

func tellSecret(t *task.Task, s secretRecord, how task.Showing) cli.Answer {
	text := s.shown(how)
	value := struct {
		secretRecord
		Value string `json:"value"`
	}{s, text}
	if t.IsTerminal() {
		text = cli.PrintableLines(text) // what a terminal would take for a command
	}
	return cli.Answer{Value: value, Text: text + "\n"}
}

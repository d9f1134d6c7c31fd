package database

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/registry"
)

func logsCommand() *cli.Command {
	lines := cli.Int("lines", "N", "how many lines, counted from the end (default 100)")
	lines.Short = "n"
	follow := cli.Bool("follow", "go on with what the server says, until Ctrl-C")
	follow.Short = "f"
	return &cli.Command{
		Name:  "logs",
		Usage: "print what the server that sp runs has logged",
		Args:  []cli.Arg{{Name: "SERVER", Kind: task.Server, Optional: true}},
		Description: "The log has the warnings and errors of applications, with time, process, code,\n" +
			"role, database and application, but not the statements.\n\n" +
			"  sp db logs -n 20",
		Flags: []cli.Flag{lines, follow},
		Run:   task.Run(logs),
	}
}

// logged is the end of a log, in JSON.
type logged struct {
	Server string   `json:"server"`
	Lines  []string `json:"lines"`
}

func logs(ctx context.Context, t *task.Task) (cli.Answer, error) {
	last := 100
	if t.IsSet("lines") {
		last = t.Int("lines")
	}
	switch {
	case last < 0:
		return cli.Answer{}, cli.Usage("db logs: --lines: not below 0")
	case t.Bool("follow") && t.JSON:
		return cli.Answer{}, cli.Usage("db logs: --follow never ends, and --json is one document")
	}
	h, err := lookHere(ctx, t)
	if err != nil {
		return cli.Answer{}, err
	}
	s, err := h.one(t.Arg(0))
	if err != nil {
		return cli.Answer{}, err
	}
	if t.Bool("follow") {
		return cli.Answer{}, t.UntilTold(ctx, func(ctx context.Context) error { return follow(ctx, t, h.Machine, s, last) })
	}
	found := logged{Server: s.Name, Lines: []string{}}
	var text strings.Builder
	err = h.Log(ctx, s, last, false, func(line string) {
		found.Lines = append(found.Lines, line)
		text.WriteString(cli.Printable(line) + "\n")
	})
	return cli.Answer{Value: found, Text: text.String()}, err
}

// follow prints lines as they come, until nobody reads them any more.
func follow(ctx context.Context, t *task.Task, m *hosting.Machine, s registry.Server, last int) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	err := m.Log(ctx, s, last, true, func(line string) {
		if _, err := fmt.Fprintln(t.Stdout, cli.Printable(line)); err != nil {
			stop(err)
		}
	})
	if errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return err
}

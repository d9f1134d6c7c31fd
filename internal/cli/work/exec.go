package work

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/postgres"
)

// Exec is `sp exec`.
func Exec() *cli.Command {
	return &cli.Command{
		Name:  "exec",
		Usage: "run a command with the database and the secrets in its environment",
		Description: "It sets DATABASE_URL, libpq's variables (PGHOST, PGPASSWORD and so on),\n" +
			"SYSTEMPROMPT_PROFILE, and each secret of the profile under its name in capitals,\n" +
			"with _ for - and a dot. The secrets anthropic, gemini, openai and github become\n" +
			"ANTHROPIC_API_KEY, GEMINI_API_KEY, OPENAI_API_KEY and GITHUB_TOKEN. No secret\n" +
			"sets PATH, LD_PRELOAD and their like. sp env shows all of it.\n\n" +
			"The command takes sp's place: signals and the exit code are its own. sp exits\n" +
			"127 if there is no such command, 126 if the command can't be run, and otherwise\n" +
			"as always. If the server is one that sp runs and is stopped, sp starts it.\n\n" +
			"  sp exec -- npm start\n" +
			"  sp exec production --only DATABASE_URL -- ./migrate --all",
		Args: []cli.Arg{{Name: "TENANT|PROFILE", Kind: task.EitherWord, Optional: true}},
		Flags: []cli.Flag{
			only(), cli.Bool("pristine", "inherit only PATH, HOME, SHELL, TERM, TMPDIR, TZ, PGPASSFILE, language, user"),
			task.Network(), task.NoStart(),
		},
		Rest:   "-- COMMAND [ARGUMENT...]",
		NoJSON: cli.OfProgram,
		Run:    task.Run(execute),
	}
}

func execute(ctx context.Context, t *task.Task) (cli.Answer, error) {
	e, err := environmentOf(ctx, t, t.Before())
	if err != nil {
		return cli.Answer{}, err
	}
	program, err := findCommand(t, t.Rest()[0])
	if err != nil {
		return cli.Answer{}, err
	}
	if err := refuseStale(ctx, t, e.Connection); err != nil {
		return cli.Answer{}, err
	}
	own, err := t.ReachOwn(ctx, e.URL)
	if err == nil && own != nil && *own == postgres.Unseen {
		err = task.ProveOwn(ctx, e.Tenant, e.URL)
	}
	if err != nil {
		return cli.Answer{}, fmt.Errorf("exec: tenant %s: %w", e.Tenant, err)
	}
	return cli.Answer{}, become(t, program, e.within(inherited(t)))
}

// become replaces this process by the command. It returns only if that can't be run.
func become(t *task.Task, program string, environ []string) error {
	err := t.Replace(program, t.Rest(), environ)
	switch {
	case errors.Is(err, unix.ENOEXEC):
		return cli.Hint(fmt.Errorf("%w: %w", err, task.ErrNotRun), "a script names its interpreter in its first line: #!/bin/sh")
	case errors.Is(err, unix.E2BIG):
		return cli.Hint(fmt.Errorf("%w: %w", err, task.ErrNotRun), "--only leaves out what the command does not need")
	case err != nil:
		return fmt.Errorf("%w: %w", err, task.ErrNotRun)
	}
	return nil
}

// inherited is what the command inherits of the environment.
func inherited(t *task.Task) []string {
	environ := t.Environ()
	if !t.Bool("pristine") {
		return environ
	}
	kept := []string{"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "TZ", "TMPDIR", "PGPASSFILE"}
	return slices.DeleteFunc(slices.Clone(environ), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return !slices.Contains(kept, name) && !strings.HasPrefix(name, "LC_")
	})
}

// within puts the environment into another one, of which nothing is left that leads elsewhere.
func (e *environment) within(environ []string) []string {
	environ = task.Without(environ, e.removed)
	for _, v := range e.variables() {
		environ = append(task.Without(environ, []string{v.Name}), v.Name+"="+v.Value)
	}
	return environ
}

// findCommand returns the path of a command as a shell finds it. A directory of PATH may be a relative one.
func findCommand(t *task.Task, name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, checkCommand(name, name)
	}
	found := noCommand(name)
	for _, dir := range t.SearchPath() {
		path := filepath.Join(dir, name)
		if unix.Access(path, unix.F_OK) != nil { // it may be behind a directory that is closed, which a shell passes over
			continue
		}
		err := checkCommand(name, path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, task.ErrNoCommand) {
			found = err
		}
	}
	return "", found
}

// noCommand is the error of a name that no command has, and what helps if it was written for a shell.
func noCommand(name string) error {
	variable, _, set := strings.Cut(name, "=")
	switch {
	case set && variable != "":
		variable = cli.Harmless(variable) + "=..." // its value may be a secret
		return cli.Hint(fmt.Errorf("%s: %w", variable, task.ErrNoCommand), "a variable comes before sp, or behind env: %s", cli.To("sp exec", "--", "env", variable, "COMMAND"))
	case strings.Contains(name, " "):
		return cli.Hint(fmt.Errorf("%s: %w", cli.Harmless(name), task.ErrNoCommand),
			"without the quotes, or by a shell: %s", cli.To("sp exec", "--", "sh", "-c", name))
	}
	return fmt.Errorf("%s: %w", cli.Harmless(name), task.ErrNoCommand)
}

// checkCommand refuses a file that can't be run.
func checkCommand(name, path string) error {
	var stat unix.Stat_t
	switch err := unix.Stat(path, &stat); {
	case name == "", errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return noCommand(name)
	case err != nil:
		return fmt.Errorf("%s: %w: %w", cli.Harmless(name), err, task.ErrNotRun)
	case stat.Mode&unix.S_IFMT != unix.S_IFREG:
		return fmt.Errorf("%s: not a file: %w", cli.Harmless(name), task.ErrNotRun)
	}
	if err := unix.Access(path, unix.X_OK); err != nil {
		return fmt.Errorf("%s: %w: %w", cli.Harmless(name), err, task.ErrNotRun)
	}
	return nil
}

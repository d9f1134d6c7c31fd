package files

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// Export is `sp export`.
func Export() *cli.Command {
	return &cli.Command{
		Name:  "export",
		Usage: "write tenants.json, and keep it current from then on",
		Args:  []cli.Arg{{Name: "-", Optional: true}},
		Description: "Writes .systemprompt/tenants.json (mode 0600). From the first change of a tenant\n" +
			"on, every change rewrites it; --stop ends that. If another program changed the\n" +
			"file, sp merges those changes first. It does not overwrite a file that it did\n" +
			"not write. --path writes a copy elsewhere; - prints it.",
		Flags: []cli.Flag{
			cli.String("path", "FILE", "write a copy to FILE instead"),
			cli.Bool("check", "write nothing; exit 4 if the file is not current"),
			cli.Bool("stop", "stop writing it, and remove it if nobody else changed it"),
			cli.Bool("drop-unknown", "leave out members that are not documented (copies only)"),
			cli.Bool("force", "overwrite what another program wrote"),
		},
		Run: task.Run(export),
	}
}

// exported is what an export answers, in JSON: a file, whether it shows the registry as it is, and
// whether it follows.
type exported struct {
	Path    string `json:"path"`
	Current bool   `json:"current"`
	Follows bool   `json:"follows"`
}

func export(ctx context.Context, t *task.Task) (cli.Answer, error) {
	toStdout, err := exportsToStdout(t)
	if err != nil {
		return cli.Answer{}, err
	}
	if toStdout {
		return printExport(ctx, t)
	}
	dir, err := t.Project()
	if err != nil {
		return cli.Answer{}, err
	}
	if t.Bool("stop") {
		return stop(ctx, t, dir)
	}
	path, err := exportFile(ctx, t, dir)
	if err != nil {
		return cli.Answer{}, err
	}
	if !t.Bool("check") {
		t.Note("%s is current", path)
	}
	return cli.Answer{Value: exported{Path: path, Current: true, Follows: !t.IsSet("path")}}, nil
}

// stop ends that tenants.json follows the registry.
func stop(ctx context.Context, t *task.Task, dir project.Dir) (cli.Answer, error) {
	for _, flag := range []string{"path", "check", "drop-unknown", "force"} {
		if t.IsSet(flag) {
			return cli.Answer{}, cli.Usage("export: --stop and --%s", flag)
		}
	}
	if err := t.ChangeIn(ctx, dir, workspace.Change{Stop: true, Commit: task.Nothing}); err != nil {
		return cli.Answer{}, err
	}
	// A change that finds the file gone forgets it: what anybody puts there from now on is theirs.
	if err := t.ChangeIn(ctx, dir, workspace.Change{Commit: task.Nothing}); err != nil {
		return cli.Answer{}, task.Afterwards(err)
	}
	t.Note("%s follows the registry no more; %s starts it again", dir.Tenants(), cli.To("sp export"))
	return cli.Answer{Value: exported{Path: dir.Tenants()}}, nil
}

// exportFile writes the file that the flags ask for, or looks at it, and returns its path.
func exportFile(ctx context.Context, t *task.Task, dir project.Dir) (path string, err error) {
	copied, err := copyOf(t, dir)
	switch {
	case err != nil:
		return "", err
	case t.Bool("check") && copied != nil:
		return copied.Path, check(ctx, t, *copied)
	case t.Bool("check"):
		return dir.Tenants(), check(ctx, t, tracked(dir))
	case copied != nil:
		return copied.Path, writeCopy(ctx, t, dir, *copied)
	}
	return dir.Tenants(), writeTracked(ctx, t, dir)
}

// exportsToStdout tells whether the export is to be printed.
func exportsToStdout(t *task.Task) (bool, error) {
	to := t.Arg(0)
	switch {
	case to != nil && *to != "-":
		return false, cli.Hint(cli.Usage("export: the only argument is -"), "--path FILE writes a copy")
	case to != nil && t.Bool("stop"):
		return false, cli.Usage("export: --stop and -")
	case to != nil && t.IsSet("path"):
		return false, cli.Usage("export: --path and -")
	case to != nil && (t.Bool("check") || t.Bool("force")):
		return false, cli.Usage("export -: --check and --force are for files")
	case t.Bool("check") && t.Bool("force"):
		return false, cli.Usage("export: --check and --force")
	}
	return to != nil || t.String("path") == "-", nil
}

func printExport(ctx context.Context, t *task.Task) (cli.Answer, error) {
	if t.JSON {
		return cli.Answer{}, cli.Usage("export -: there is no --json: the output is the file")
	}
	dir, err := t.Project()
	if err != nil {
		return cli.Answer{}, err
	}
	view, err := t.View(ctx)
	if err != nil {
		return cli.Answer{}, err
	}
	state, err := view.State(ctx)
	t.KeepIn(dir.Path())
	return cli.Answer{Write: func(w io.Writer) error {
		return exporter.EncodeView(ctx, t.WatchWriting(w), view, state.Document, t.Bool("drop-unknown"))
	}}, err
}

// writeTracked writes the file that follows the registry, unless it is current.
func writeTracked(ctx context.Context, t *task.Task, dir project.Dir) error {
	first, settled, err := findExport(ctx, t, dir, t.Bool("force"))
	if err != nil {
		return err
	}
	if first { // git is asked before the file is there for the first time
		err = t.HideSecrets(ctx, dir)
	}
	if err == nil && t.Bool("force") {
		err = refuseCorrupt(t, dir)
	}
	if err != nil || settled {
		return err
	}
	return t.ChangeIn(ctx, dir, workspace.Change{Tenants: true, Wanted: true, Force: t.Bool("force"), Commit: task.Nothing})
}

// findExport finds out, in one look, whether the registry knows the file yet and whether
// there is nothing to do, in the small files either.
func findExport(ctx context.Context, t *task.Task, dir project.Dir, force bool) (first, settled bool, err error) {
	w, err := t.Workspace(dir)
	if err != nil {
		return false, false, err
	}
	err = w.Read(ctx, func(view *registry.View) error {
		file, err := view.File(ctx, workspace.TrackedName)
		if err == nil && file == nil {
			_, err = view.State(ctx)
		}
		if err != nil || file == nil {
			first = true
			return err
		}
		settled, err = w.IsSettled(ctx, view, force)
		return err
	})
	return first, settled, err
}

// refuseCorrupt keeps even --force from overwriting a tracked file that can't be read:
// what is in it, nobody knows.
func refuseCorrupt(t *task.Task, dir project.Dir) error {
	path := dir.Tenants()
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return nil
	}
	source, err := openSource(t, &path)
	if err != nil {
		return err
	}
	defer source.close()
	if _, err = source.Read(func(registry.Tenant) error { return nil }); errors.Is(err, exporter.ErrRefused) {
		err = cli.Hint(err, "%s moves it away", cli.To("sp import", "--set-aside"))
	}
	return err
}

// outdatedError is what --check finds: who is behind it is not known.
type outdatedError struct{ path string }

func (e *outdatedError) Error() string { return e.path + ": it is not what sp export would write" }

func (e *outdatedError) Unwrap() error { return registry.ErrConflict }

// check finds out whether a file is what would be written.
func check(ctx context.Context, t *task.Task, p workspace.Publisher) error {
	p.Watch = t.WatchWriting
	return t.Read(ctx, func(_ project.Dir, view *registry.View) error {
		current, err := p.IsCurrent(ctx, view)
		if err == nil && !current {
			err = cli.Hint(&outdatedError{path: p.Path}, "%s tells how it stands", cli.To("sp status"))
		}
		return err
	})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
	"github.com/urfave/cli/v3"
)

// project finds the .systemprompt directory that a command uses.
func (a *app) project() (project.Dir, error) {
	return a.checked(a.projectBy(project.At, project.Find))
}

// newProject finds the one that a command makes a registry in, if there is none.
func (a *app) newProject() (project.Dir, error) {
	return a.checked(a.projectBy(project.AtNew, project.FindNew))
}

// isNew tells whether there is no registry yet where a command would make one.
func (a *app) isNew() (bool, error) {
	dir, err := a.newProject()
	if errors.Is(err, project.ErrNoDirectory) {
		return true, nil
	}
	return err == nil && !hasRegistry(dir), err
}

// projectBy looks where --dir says, else SP_DIR, else upwards from the working directory.
func (a *app) projectBy(at, find func(string) (project.Dir, error)) (project.Dir, error) {
	named, err := a.namedDir()
	if err != nil {
		return project.Dir{}, err
	}
	if named != "" {
		return at(named)
	}
	cwd, err := a.workingDirectory()
	if err != nil {
		return project.Dir{}, err
	}
	return find(cwd)
}

// checked returns a directory that nobody else can replace.
func (a *app) checked(dir project.Dir, err error) (project.Dir, error) {
	if err == nil {
		a.registry = dir.Registry()
		err = a.checkAbove(dir.Path())
	}
	if err == nil && dir.Link() != "" {
		err = dir.CheckTracked(context.Background(), a.git())
	}
	return dir, err
}

// checkAbove refuses a place for a directory where somebody else could replace it.
func (a *app) checkAbove(path string) error {
	home := a.env("HOME")
	if home == nil {
		return project.CheckAbove(path, "")
	}
	return project.CheckAbove(path, *home)
}

// namedDir returns the absolute path that --dir or SP_DIR gives, or nothing.
func (a *app) namedDir() (string, error) {
	what, path := "--dir", a.dir
	if value := a.env("SP_DIR"); path == "" && value != nil {
		what, path = "SP_DIR", *value
	}
	if path == "" {
		return "", nil
	}
	if err := checkPathWord(what, path); err != nil {
		return "", err
	}
	return a.resolved(path)
}

// absolute is what every path goes through that a user gives. It puts the home before what
// follows `~/`, which a shell leaves as it is behind `=` and in a variable, and the working
// directory before another relative path, as the shell sees it: links are followed before
// `..` is taken, so nothing is cleaned here. The path is not repeated: it may be a secret at
// the wrong flag.
func (a *app) absolute(path string) (string, error) {
	if filepath.IsAbs(path) {
		return path, nil
	}
	if inside, ok := strings.CutPrefix(path, "~/"); ok {
		home := a.env("HOME")
		if home == nil || !filepath.IsAbs(*home) {
			return "", withHint(usage("a path starts with ~/, and HOME is not set to an absolute path"), "name the whole path")
		}
		return *home + "/" + inside, nil
	}
	if strings.HasPrefix(path, "~") {
		return "", withHint(usage("a path starts with ~, and only ~/ is known, your home"), "./~ starts the name of a file that is really called that")
	}
	cwd, err := a.workingDirectory()
	if err != nil {
		return "", err
	}
	if cwd, err = filepath.EvalSymlinks(cwd); err != nil {
		return "", err
	}
	return cwd + "/" + path, nil
}

// resolved returns the absolute path of a file or directory, the links of what is
// above it followed, as the paths of a project are. It may itself be a link, or be
// missing with what is above it: the path is the same before and after that is made.
func (a *app) resolved(path string) (string, error) {
	path, err := a.absolute(path)
	if err != nil {
		return "", err
	}
	above, name := cutName(path)
	if name == "" || name == "." || name == ".." {
		return resolvedDir(path)
	}
	above, err = resolvedDir(above)
	return filepath.Join(above, name), err
}

// resolvedDir follows all links of a directory's path. Where its end is missing,
// that is kept as it is; what `..` behind it would mean nobody can say.
func resolvedDir(path string) (string, error) {
	actual, err := filepath.EvalSymlinks(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return actual, err
	}
	above, name := cutName(path)
	if name == "" || name == ".." {
		return "", err
	}
	above, err = resolvedDir(above)
	return filepath.Join(above, name), err
}

// cutName cuts the last name off a path, without cleaning what is above it.
func cutName(path string) (above, name string) {
	path = strings.TrimRight(path, "/")
	slash := strings.LastIndexByte(path, '/')
	return path[:slash+1], path[slash+1:]
}

// here is where a new directory goes. Inside another one it would only be in the way.
func (a *app) here() (string, error) {
	path, err := a.resolved(project.Name)
	if err == nil && slices.Contains(strings.Split(filepath.Dir(path), "/"), project.Name) {
		err = withHint(usage("%s is inside a %s directory", filepath.Dir(path), project.Name), "go where the project is")
	}
	return path, err
}

// existingFiles is what becomes of the files that stand where a registry is made: they may be
// anybody's.
type existingFiles int

const (
	refused  existingFiles = iota // nothing is made beside them
	aside                         // they get other names
	imported                      // they are what the command is to take over
)

// existingBy reads --set-aside.
func existingBy(cmd *cli.Command) existingFiles {
	if cmd.Bool("set-aside") {
		return aside
	}
	return refused
}

func setAsideFlag() cli.Flag {
	return boolFlag("set-aside", "rename files that stand where a registry is made")
}

// adviseMain adds, where there is no registry in a git worktree, which one the main work
// tree has.
func (a *app) adviseMain(err error) error {
	if !isNoRegistry(err) {
		return err
	}
	if named, bad := a.namedDir(); bad != nil || named != "" {
		return err
	}
	cwd, bad := a.workingDirectory()
	if bad == nil {
		cwd, bad = filepath.EvalSymlinks(cwd)
	}
	if main, found := project.MainOf(cwd); bad == nil && found {
		path := project.Quoted(main.Path())
		err = withHint(err, "the main work tree of this one has a registry: --dir %s, or SP_DIR=%s\n%s", path, path, failureOf(err).Hint)
	}
	return err
}

// makeProjectHere makes the directory where it was named, else in the working
// directory, or adopts the one that is there. It says so.
func (a *app) makeProjectHere(files existingFiles) (project.Dir, error) {
	path, err := a.namedDir()
	if err == nil && path == "" {
		path, err = a.here()
	}
	if err != nil {
		return project.Dir{}, err
	}
	return a.adopt(path, files)
}

// makeProject finds the directory as project does, or makes one.
func (a *app) makeProject(files existingFiles) (project.Dir, error) {
	found, err := a.newProject()
	if errors.Is(err, project.ErrNoDirectory) {
		return a.makeProjectHere(files)
	}
	if err != nil {
		return project.Dir{}, err
	}
	return a.adopt(found.Path(), files)
}

func (a *app) adopt(path string, files existingFiles) (project.Dir, error) {
	found, err := a.checked(project.AtNew(path))
	if errors.Is(err, project.ErrNoDirectory) {
		err = a.checkAbove(path)
	} else if err == nil && !hasRegistry(found) {
		err = a.clear(found, files)
	}
	if errors.Is(err, project.ErrOthers) {
		err = withHint(err, "run as that user, or keep your registry elsewhere: --dir DIRECTORY")
	}
	if err != nil {
		return project.Dir{}, err
	}
	if main, found := project.MainOf(filepath.Dir(path)); found && !exists(filepath.Join(path, project.RegistryName)) {
		a.note("the main work tree has a registry, which this one does not share: --dir %s names it", project.Quoted(main.Path()))
	}
	dir, made, err := project.Make(path)
	a.registry = dir.Registry()
	switch made {
	case project.Created:
		a.madeDir = true // told with the next note, if it stays
	case project.Tightened:
		a.note("others could read %s until now; it is 0700 from here on", dir.Path())
	}
	return dir, err
}

// clear refuses the files that stand where a registry is to be made, or sets them aside.
func (a *app) clear(dir project.Dir, files existingFiles) error {
	if files == imported {
		return nil
	}
	found, err := dir.EarlierFiles()
	if err != nil || len(found) == 0 {
		return err
	}
	if files == refused {
		return withHint(fmt.Errorf("%s: there before the registry, and perhaps somebody else's: %s: %w", dir.Path(), some(found), registry.ErrConflict),
			"sp import takes over what is there, --set-aside gives it other names")
	}
	ending := ".aside-" + a.now().UTC().Format("20060102T150405.000000Z")
	if a.putBack, err = dir.SetAside(found, ending); err != nil {
		return err
	}
	for _, path := range found {
		_ = dir.TightenFile(path + ending) // what can't be, as a link, is for doctor to tell
		a.note("%s is set aside as %s", dir.Full(path), filepath.Base(path)+ending)
	}
	return nil
}

// changeNew is a change that makes directory and registry where there are none.
func (a *app) changeNew(ctx context.Context, files existingFiles, c workspace.Change) (project.Dir, error) {
	dir, err := a.makeProject(files)
	if err == nil && !hasRegistry(dir) {
		err = a.hideSecrets(ctx, dir)
	}
	if err == nil {
		c.Create = true
		err = a.changeIn(ctx, dir, c)
	}
	return dir, a.unlessMade(dir, err)
}

// unlessMade puts back what was set aside, and takes the directory back that was made, where no
// registry was made.
func (a *app) unlessMade(dir project.Dir, err error) error {
	if hasRegistry(dir) {
		return err
	}
	if a.putBack != nil {
		err = errors.Join(err, a.putBack())
	}
	if a.madeDir {
		a.madeDir = false
		err = errors.Join(err, dir.Unmake())
	}
	return err
}

// tellMadeDir says that the directory was made, once.
func (a *app) tellMadeDir() {
	if a.madeDir {
		a.madeDir = false
		a.note("made %s", filepath.Dir(a.registry))
	}
}

// hasExport tells whether a tenants.json is there, whoever wrote it.
func hasExport(dir project.Dir) bool {
	_, err := os.Lstat(dir.Tenants())
	return err == nil
}

// hasRegistry tells whether something stands where the directory's registry does.
func hasRegistry(dir project.Dir) bool {
	_, err := os.Lstat(dir.Registry())
	return !errors.Is(err, os.ErrNotExist)
}

// isNoRegistry tells whether an error says that there is no registry yet.
func isNoRegistry(err error) bool {
	return errors.Is(err, project.ErrNoDirectory) || errors.Is(err, db.ErrMissing)
}

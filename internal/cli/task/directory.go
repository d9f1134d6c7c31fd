package task

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/workspace"
)

// Project finds the .systemprompt directory that a command uses. It is looked for once a run.
func (t *Task) Project() (project.Dir, error) {
	if t.found != nil {
		return *t.found, nil
	}
	dir, err := t.checked(t.projectBy(project.At, project.Find))
	if err == nil {
		t.found = &dir
	}
	return dir, err
}

// NewProject finds the .systemprompt directory in which a command would make a registry.
func (t *Task) NewProject() (project.Dir, error) {
	return t.checked(t.projectBy(project.AtNew, project.FindNew))
}

// Located finds the directory even if something is wrong with it.
func (t *Task) Located() (project.Dir, error) { return t.projectBy(project.Locate, project.Search) }

// IsNew reports whether there is no registry yet where a command would make one.
func (t *Task) IsNew() (bool, error) {
	dir, err := t.NewProject()
	if errors.Is(err, project.ErrNoDirectory) {
		return true, nil
	}
	return err == nil && !HasRegistry(dir), err
}

// projectBy looks where --dir says, else SP_DIR, else upwards from the working directory.
func (t *Task) projectBy(at, find func(string) (project.Dir, error)) (project.Dir, error) {
	named, err := t.NamedDir()
	if err != nil {
		return project.Dir{}, err
	}
	if named != "" {
		return at(named)
	}
	cwd, err := t.WorkingDirectory()
	if err != nil {
		return project.Dir{}, err
	}
	return find(cwd)
}

// checked returns a directory that nobody else can replace.
func (t *Task) checked(dir project.Dir, err error) (project.Dir, error) {
	if err == nil {
		t.registry = dir.Registry()
		err = t.CheckAbove(dir.Path())
	}
	if err == nil && dir.Link() != "" {
		err = dir.CheckTracked(context.Background(), t.Git())
	}
	return dir, err
}

// CheckAbove refuses a directory that another user could replace.
func (t *Task) CheckAbove(path string) error {
	home := t.Env("HOME")
	if home == nil {
		return project.CheckAbove(path, "")
	}
	return project.CheckAbove(path, *home)
}

// NamedDir returns the absolute path that --dir or SP_DIR gives, or nothing.
func (t *Task) NamedDir() (string, error) {
	what, path := "--dir", t.String(dirFlag)
	if value := t.Env("SP_DIR"); path == "" && value != nil {
		what, path = "SP_DIR", *value
	}
	if path == "" {
		return "", nil
	}
	if err := CheckPathWord(what, path); err != nil {
		return "", err
	}
	return t.Resolved(path)
}

// Resolved returns the absolute path of a file or directory with all links above it followed, like
// the paths of a project. The file itself may be a link. It may also be missing together with its
// parents: the path is the same before and after they are made.
func (t *Task) Resolved(path string) (string, error) {
	path, err := t.Absolute(path)
	if err != nil {
		return "", err
	}
	above, name := cutName(path)
	if name == "" || name == "." || name == ".." {
		return ResolvedDir(path)
	}
	above, err = ResolvedDir(above)
	return filepath.Join(above, name), err
}

// ResolvedDir follows all links of a directory's path. A missing end of the path is kept as it is,
// because nobody can say what `..` after it would mean.
func ResolvedDir(path string) (string, error) {
	actual, err := filepath.EvalSymlinks(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return actual, err
	}
	above, name := cutName(path)
	if name == "" || name == ".." {
		return "", err
	}
	above, err = ResolvedDir(above)
	return filepath.Join(above, name), err
}

// cutName cuts the last name off a path, without cleaning what is above it.
func cutName(path string) (above, name string) {
	path = strings.TrimRight(path, "/")
	slash := strings.LastIndexByte(path, '/')
	return path[:slash+1], path[slash+1:]
}

// here is where a new directory goes. Inside another one it would only be in the way, and that of / would be
// the one of every directory without its own.
func (t *Task) here() (string, error) {
	path, err := t.Resolved(project.Name)
	if path == "/"+project.Name {
		return path, cli.Hint(cli.Usage("a registry in / would be used in every directory that has none"), "go where the project is; %s makes one here all the same", cli.To("sp init", "--dir", path))
	}
	if err == nil && slices.Contains(strings.Split(filepath.Dir(path), "/"), project.Name) {
		err = cli.Hint(cli.Usage("%s is inside a %s directory", filepath.Dir(path), project.Name), "go where the project is")
	}
	return path, err
}

// Existing says what to do with files that stand where a registry is about to be made. Anybody may
// have written them.
type Existing int

const (
	Refused  Existing = iota // nothing is made beside them
	Aside                    // they get other names
	Imported                 // they are what the command is to take over
)

// Existing returns what --set-aside asks for.
func (t *Task) Existing() Existing {
	if t.Bool("set-aside") {
		return Aside
	}
	return Refused
}

// SetAside returns the flag --set-aside, which renames files that stand where a registry is made.
func SetAside() cli.Flag {
	return cli.Bool("set-aside", "rename files that are in the way of a new registry")
}

// adviseMain adds, where there is no registry in a git worktree, which one the main work
// tree has.
func (t *Task) adviseMain(err error) error {
	if !IsNoRegistry(err) {
		return err
	}
	if t.registry != "" && Exists(filepath.Join(filepath.Dir(t.registry), "tenants.json")) {
		return cli.Hint(err, "%s makes one from the tenants.json that is there, %s from a backup", cli.To("sp import"), cli.To("sp restore", "FILE"))
	}
	if named, bad := t.NamedDir(); bad != nil || named != "" {
		return err
	}
	cwd, bad := t.WorkingDirectory()
	if bad == nil {
		cwd, bad = filepath.EvalSymlinks(cwd)
	}
	if main, found := project.MainOf(cwd); bad == nil && found {
		path := cli.Quoted(main.Path())
		err = cli.Hint(err, "the main work tree of this one has a registry: --dir %s, or SP_DIR=%s\n%s", path, path, *t.Failure(err).Hint)
	}
	return err
}

// MakeProjectHere makes the directory where --dir or SP_DIR names it, or else in the working
// directory. It uses a directory that is there already, and says what it did.
func (t *Task) MakeProjectHere(files Existing) (project.Dir, error) {
	path, err := t.NamedDir()
	if err == nil && path == "" {
		path, err = t.here()
	}
	if err != nil {
		return project.Dir{}, err
	}
	return t.adopt(path, files)
}

// MakeProject finds the directory as Project does, or makes one.
func (t *Task) MakeProject(files Existing) (project.Dir, error) {
	found, err := t.NewProject()
	if errors.Is(err, project.ErrNoDirectory) {
		return t.MakeProjectHere(files)
	}
	if err != nil {
		return project.Dir{}, err
	}
	return t.adopt(found.Path(), files)
}

func (t *Task) adopt(path string, files Existing) (project.Dir, error) {
	found, err := t.checked(project.AtNew(path))
	if errors.Is(err, project.ErrNoDirectory) {
		err = t.CheckAbove(path)
	} else if err == nil && !HasRegistry(found) {
		err = t.clear(found, files)
	}
	if errors.Is(err, project.ErrOthers) {
		err = cli.Hint(err, "run as that user, or keep your registry elsewhere: --dir DIRECTORY")
	}
	if err != nil {
		return project.Dir{}, err
	}
	if main, found := project.MainOf(filepath.Dir(path)); found && !Exists(filepath.Join(path, project.RegistryName)) {
		t.Note("the main work tree has a registry, which this one does not share: --dir %s names it", cli.Quoted(main.Path()))
	}
	dir, made, err := project.Make(path)
	if err != nil {
		return dir, t.takeBack(err)
	}
	t.registry = dir.Registry()
	switch made {
	case project.Created:
		t.madeDir = true // told with the next note, if it stays
	case project.Tightened:
		t.Note("others could read %s until now; it is 0700 from here on", dir.Path())
	}
	return dir, nil
}

// takeBack puts back what was set aside.
func (t *Task) takeBack(err error) error {
	if t.putBack != nil {
		err = errors.Join(err, t.putBack())
		t.putBack = nil
	}
	return err
}

// clear refuses the files that stand where a registry is to be made, or sets them aside.
func (t *Task) clear(dir project.Dir, files Existing) error {
	if files == Imported {
		return nil
	}
	found, err := dir.EarlierFiles()
	if err != nil || len(found) == 0 {
		return err
	}
	if files == Refused {
		return adviseEarlier(&workspace.EarlierError{Directory: dir.Path(), Paths: found})
	}
	ending := ".aside-" + t.Now().UTC().Format("20060102T150405.000000Z")
	if t.putBack, err = dir.SetAside(found, ending); err != nil {
		return err
	}
	for _, path := range found {
		_ = dir.TightenFile(path + ending) // what can't be, as a link, is for doctor to tell
		t.Note("%s is set aside as %s", dir.Full(path), filepath.Base(path)+ending)
	}
	return nil
}

func adviseEarlier(err error) error {
	return cli.Hint(err, "%s takes over what is there, --set-aside gives it other names", cli.To("sp import"))
}

// ChangeNew makes a change, and makes the directory and the registry first if there are none.
func (t *Task) ChangeNew(ctx context.Context, files Existing, c workspace.Change) (project.Dir, error) {
	return t.InMade(func() (project.Dir, error) { return t.MakeProject(files) }, func(dir project.Dir) (err error) {
		if !HasRegistry(dir) {
			err = t.HideSecrets(ctx, dir)
		}
		if err == nil {
			c.Create = true
			err = t.ChangeIn(ctx, dir, c)
		}
		return err
	})
}

// InMade makes or adopts a directory, and runs fn in it. If fn makes no registry there, what was set
// aside is put back and the directory that was made is removed. Another command may have done just
// that to the directory meanwhile: then InMade begins again.
func (t *Task) InMade(makes func() (project.Dir, error), fn func(project.Dir) error) (project.Dir, error) {
	const often = 5
	for tries := 1; ; tries++ {
		dir, err := makes()
		if err != nil {
			return dir, err
		}
		err = fn(dir)
		if gone := errors.Is(err, fs.ErrNotExist) && !Exists(dir.Path()); !gone || tries == often {
			return dir, t.unlessMade(dir, err)
		}
	}
}

func (t *Task) unlessMade(dir project.Dir, err error) error {
	if HasRegistry(dir) {
		return err
	}
	err = t.takeBack(err)
	if t.madeDir {
		err = errors.Join(err, dir.Unmake())
		t.madeDir = Exists(dir.Path()) // then it is told
	}
	return err
}

// tellMadeDir says that the directory was made, once.
func (t *Task) tellMadeDir() {
	if t.madeDir {
		t.madeDir = false
		t.Context.Note("made %s", filepath.Dir(t.registry))
	}
}

// HasRegistry reports whether there is a file at the place of the directory's registry.
func HasRegistry(dir project.Dir) bool {
	_, err := os.Lstat(dir.Registry())
	return !errors.Is(err, os.ErrNotExist)
}

// IsNoRegistry reports whether an error says that there is no registry yet.
func IsNoRegistry(err error) bool {
	return errors.Is(err, project.ErrNoDirectory) || errors.Is(err, db.ErrMissing)
}

// CheckPathWord refuses a connection string in place of a path, so that it is not repeated and
// nothing is made under that name.
func CheckPathWord(what, path string) error {
	if strings.Contains(path, "://") || pgurl.IsConnection(path) {
		return cli.Usage("%s: a way to a database where a path belongs", what)
	}
	return nil
}

// Exists reports whether there is something at a path.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

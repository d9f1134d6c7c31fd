package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/project"
)

// project finds the .systemprompt directory that a command uses.
func (a *app) project() (project.Dir, error) {
	return a.checked(a.projectBy(project.At, project.Find))
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

// makeProjectHere makes the directory where it was named, else in the working
// directory, or adopts the one that is there. It says so.
func (a *app) makeProjectHere() (project.Dir, error) {
	path, err := a.namedDir()
	if err == nil && path == "" {
		path, err = a.here()
	}
	if err != nil {
		return project.Dir{}, err
	}
	return a.adopt(path)
}

// makeProject finds the directory as project does, or makes one.
func (a *app) makeProject() (project.Dir, error) {
	found, err := a.project()
	if errors.Is(err, project.ErrNoDirectory) {
		return a.makeProjectHere()
	}
	if err != nil {
		return project.Dir{}, err
	}
	return a.adopt(found.Path())
}

func (a *app) adopt(path string) (project.Dir, error) {
	if err := a.checkAbove(path); err != nil {
		return project.Dir{}, err
	}
	dir, made, err := project.Make(path)
	a.registry = dir.Registry()
	switch made {
	case project.Created:
		a.note("made %s", dir.Path())
	case project.Tightened:
		a.note("others could read %s until now; it is 0700 from here on", dir.Path())
	}
	return dir, err
}

// hasExport tells whether a tenants.json is there, whoever wrote it.
func hasExport(dir project.Dir) bool {
	_, err := os.Lstat(dir.Tenants())
	return err == nil
}

// tellOfExport says, when a registry is made, that an older one is beside it.
func (a *app) tellOfExport(dir project.Dir) {
	if hasExport(dir) {
		a.note("%s is not in this registry; sp import takes it over", dir.Tenants())
	}
}

// hasRegistry tells whether something stands where the directory's registry does.
func hasRegistry(dir project.Dir) bool {
	_, err := os.Lstat(dir.Registry())
	return !errors.Is(err, os.ErrNotExist)
}

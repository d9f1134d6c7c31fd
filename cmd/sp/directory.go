package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/sp-registry/sp/internal/project"
)

// project finds the .systemprompt directory: --dir, else SP_DIR, else upwards from
// the working directory.
func (a *app) project() (project.Dir, error) {
	named, err := a.namedDir()
	if err != nil {
		return project.Dir{}, err
	}
	if named != "" {
		return project.At(named)
	}
	cwd, err := a.workingDirectory()
	if err != nil {
		return project.Dir{}, err
	}
	return project.Find(cwd)
}

// namedDir returns the absolute path that --dir or SP_DIR gives, or nothing.
func (a *app) namedDir() (string, error) {
	if a.dir != "" {
		return a.absolute(a.dir)
	}
	if value := a.env("SP_DIR"); value != nil && *value != "" {
		return a.absolute(*value)
	}
	return "", nil
}

func (a *app) absolute(path string) (string, error) {
	if filepath.IsAbs(path) {
		return filepath.Clean(path), nil
	}
	cwd, err := a.workingDirectory()
	return filepath.Join(cwd, path), err
}

// resolved returns the absolute path of a file, the links of its directory followed,
// as the paths of a project are. The file itself may be a link, or missing.
func (a *app) resolved(path string) (string, error) {
	path, err := a.absolute(path)
	if err != nil {
		return "", err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return path, nil // what is wrong with it shows when the file is opened
	}
	return filepath.Join(dir, filepath.Base(path)), nil
}

// makeProjectHere makes the directory where it was named, else in the working
// directory, or adopts the one that is there. It says so.
func (a *app) makeProjectHere() (project.Dir, error) {
	path, err := a.namedDir()
	if err == nil && path == "" {
		path, err = a.absolute(project.Name)
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
	dir, made, err := project.Make(path)
	switch made {
	case project.Created:
		a.note("made %s", dir.Path())
	case project.Tightened:
		a.note("others could read %s until now; it is 0700 from here on", dir.Path())
	}
	return dir, err
}

// hasRegistry tells whether something stands where the directory's registry does.
func hasRegistry(dir project.Dir) bool {
	_, err := os.Lstat(dir.Registry())
	return !errors.Is(err, os.ErrNotExist)
}

package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// importing is what an import is of: a file of tenants and, if that is the one of a
// directory, what else is there.
type importing struct {
	ref      *string // the file, as openSource takes it
	own      bool    // it is the directory of the registry
	contents *follow.Contents
}

// importingOf finds out what is to be imported. A directory stands for all that is in
// it, and for the `.systemprompt` in it; so does no word for the registry's own.
func (a *app) importingOf(ctx context.Context, ref *string, settled registry.Side) (i importing, err error) {
	from, own, err := a.importedDir(ref)
	if err != nil || from == nil {
		return importing{ref: ref}, err
	}
	if own && hasRegistry(*from) {
		if err := a.read(ctx, func(project.Dir, *registry.View) error { return nil }); errors.Is(err, db.ErrUntrusted) {
			return i, err // then nothing beside it is read either
		}
	}
	contents, err := contentsOf(*from)
	if err != nil {
		return i, err
	}
	tenants := from.Tenants()
	i = importing{ref: &tenants, own: own, contents: &contents}
	if ref == nil {
		i.ref = nil
	}
	if own && hasRegistry(*from) {
		err = a.read(ctx, func(dir project.Dir, view *registry.View) error {
			return workspace.FilesOf(dir).Known(ctx, view, &contents)
		})
		if err == nil {
			err = a.leaveTracked(ctx, *from, &contents, settled)
		}
	}
	return i, err
}

// contentsOf reads what a directory holds beside its tenants.
func contentsOf(dir project.Dir) (follow.Contents, error) {
	profiles, err := dir.ProfileFiles()
	if err != nil {
		return follow.Contents{}, err
	}
	return follow.ContentsOf(workspace.FilesOf(dir), profiles, dir.Confine)
}

// leaveTracked leaves out of an import what git tracks of the registry's own directory,
// unless the user says that it is right.
func (a *app) leaveTracked(ctx context.Context, dir project.Dir, contents *follow.Contents, settled registry.Side) error {
	for i, p := range contents.Profiles {
		if len(p.Secrets) == 0 {
			continue
		}
		taken, err := a.mayTake(ctx, dir, dir.Full(follow.SecretsPath(p.Name)), settled)
		if err != nil {
			return err
		}
		if !taken {
			contents.Profiles[i].Secrets = nil
		}
	}
	if contents.Sessions == nil {
		return nil
	}
	taken, err := a.mayTake(ctx, dir, dir.Full(follow.IndexPath), settled)
	if !taken {
		contents.Sessions, contents.IndexHash = nil, ""
	}
	return err
}

// importedDir returns the directory that is to be imported, nil for a file.
func (a *app) importedDir(ref *string) (from *project.Dir, own bool, err error) {
	mine, missing := a.newProject()
	if ref == nil {
		if errors.Is(missing, project.ErrNoDirectory) {
			return nil, false, nil // which is for the import of a file to say
		}
		return &mine, true, missing
	}
	if *ref == "-" || checkPathWord("import", *ref) != nil {
		return nil, false, nil
	}
	path, err := a.absolute(*ref)
	if err != nil {
		return nil, false, err
	}
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return nil, false, nil
	}
	if _, err := os.Lstat(filepath.Join(path, project.Name)); filepath.Base(path) != project.Name && !errors.Is(err, fs.ErrNotExist) {
		path = filepath.Join(path, project.Name)
	}
	dir, err := project.At(path)
	return &dir, missing == nil && dir.Path() == mine.Path(), err
}

// complete adds what a directory holds beside its tenants to what is asked for.
func (i importing) complete(request *registry.Import) {
	if i.contents == nil {
		return
	}
	for _, p := range i.contents.Profiles {
		request.Profiles = append(request.Profiles, p.ImportedProfile)
	}
	request.Sessions = i.contents.Sessions
}

// isEmpty tells whether there is nothing beside the tenants.
func (i importing) isEmpty() bool {
	return i.contents == nil || len(i.contents.Profiles) == 0 && i.contents.Sessions == nil
}

// left says what of the directory is not taken.
func (i importing) left() []string {
	if i.contents == nil {
		return nil
	}
	return i.contents.Left
}

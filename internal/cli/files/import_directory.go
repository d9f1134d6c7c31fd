package files

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// subject is what an import is of: a file of tenants and, if that is the one of a
// directory, what else is there.
type subject struct {
	ref      *string // the file, as openSource takes it
	own      bool    // it is the directory of the registry
	contents *follow.Contents
}

// find finds out what is to be imported. A directory stands for all that is in
// it, and for the `.systemprompt` in it; so does no word for the registry's own.
func (i *importer) find(ctx context.Context, ref *string) (s subject, err error) {
	from, own, err := importedDir(i.Task, ref)
	if err != nil || from == nil {
		return subject{ref: ref}, err
	}
	if own && task.HasRegistry(*from) {
		if err := i.Read(ctx, func(project.Dir, *registry.View) error { return nil }); errors.Is(err, db.ErrUntrusted) {
			return s, err // then nothing beside it is read either
		}
	}
	contents, err := contentsOf(*from)
	if err != nil {
		return s, err
	}
	tenants := from.Tenants()
	s = subject{ref: &tenants, own: own, contents: &contents}
	if ref == nil {
		s.ref = nil
	}
	if own && task.HasRegistry(*from) {
		err = i.Read(ctx, func(dir project.Dir, view *registry.View) error {
			return workspace.FilesOf(dir).Known(ctx, view, &contents)
		})
		if err == nil {
			err = i.leaveTracked(ctx, *from, &contents)
		}
	}
	return s, err
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
func (i *importer) leaveTracked(ctx context.Context, dir project.Dir, contents *follow.Contents) error {
	for n, p := range contents.Profiles {
		if len(p.Secrets) == 0 {
			continue
		}
		taken, err := i.mayTake(ctx, dir, dir.Full(follow.SecretsPath(p.Name)))
		if err != nil {
			return err
		}
		if !taken {
			contents.Profiles[n].Secrets = nil
		}
	}
	if contents.Sessions == nil {
		return nil
	}
	taken, err := i.mayTake(ctx, dir, dir.Full(follow.IndexPath))
	if !taken {
		contents.Sessions, contents.IndexHash = nil, ""
	}
	return err
}

// importedDir returns the directory that is to be imported, nil for a file.
func importedDir(t *task.Task, ref *string) (from *project.Dir, own bool, err error) {
	mine, missing := t.NewProject()
	if ref == nil {
		if errors.Is(missing, project.ErrNoDirectory) {
			return nil, false, nil // which is for the import of a file to say
		}
		return &mine, true, missing
	}
	if *ref == "-" || task.CheckPathWord("import", *ref) != nil {
		return nil, false, nil
	}
	path, err := t.Absolute(*ref)
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
func (s subject) complete(request *registry.Import) {
	if s.contents == nil {
		return
	}
	for _, p := range s.contents.Profiles {
		request.Profiles = append(request.Profiles, p.ImportedProfile)
	}
	request.Sessions = s.contents.Sessions
}

// isEmpty tells whether there is nothing beside the tenants.
func (s subject) isEmpty() bool {
	return s.contents == nil || len(s.contents.Profiles) == 0 && s.contents.Sessions == nil
}

// left says what of the directory is not taken.
func (s subject) left() []registry.Left {
	if s.contents == nil {
		return nil
	}
	return s.contents.Left
}

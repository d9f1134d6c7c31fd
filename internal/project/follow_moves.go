package project

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/sp-registry/sp/internal/registry"
)

// resumeMoves finds the profiles whose directory has the name that they had before: a
// command was stopped before it was moved, or left that to a later one.
func (f *follower) resumeMoves(ctx context.Context, behind []registry.FollowingFile) error {
	for _, file := range behind {
		name := profileOf(file.Path)
		if file.Path == IndexPath || file.Path == ComposePath(name) || exists(f.dir.Full("profiles/"+name)) { // all compose files are the same
			continue
		}
		for _, old := range behind {
			if old.Path == file.Path || path.Base(old.Path) != path.Base(file.Path) {
				continue
			}
			text, there, err := f.dir.ReadFile(old.Path)
			if err != nil {
				return err
			}
			if hash := hashOf(text); !there || hash != file.Previous && hash != file.Current {
				continue
			}
			if err := f.resume(ctx, profileOf(old.Path), name); err != nil {
				return err
			}
		}
	}
	return nil
}

// resume has a directory follow its profile, if that is still there, or has yet another
// name, and no other one needs it.
func (f *follower) resume(ctx context.Context, from, to string) error {
	if f.renamed[from] != "" {
		return nil
	}
	needed, err := f.isProfile(ctx, from)
	if err != nil || needed {
		return err
	}
	there, err := f.isProfile(ctx, to)
	if there || f.renamed[to] != "" {
		f.renamed[from] = to
	}
	return err
}

func (f *follower) isProfile(ctx context.Context, name string) (bool, error) {
	_, err := f.view.Profile(ctx, name)
	if errors.Is(err, registry.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// movedFrom returns the name that a profile's directory has before the change, and has
// it renamed.
func (f *follower) movedFrom(ctx context.Context, name string) (string, error) {
	from := name
	for range len(f.renamed) {
		if from = f.nameBefore(from); from == "" {
			return name, nil
		}
		if err := f.inherit(ctx, from, name); err != nil {
			return name, err
		}
		if there, err := f.hasFiles(from); err != nil || there {
			return from, errors.Join(err, f.move(from, name))
		}
	}
	return name, nil
}

func (f *follower) nameBefore(name string) string {
	for from, to := range f.renamed {
		if to == name {
			return from
		}
	}
	return ""
}

func (f *follower) hasFiles(profile string) (bool, error) {
	_, configured, err := f.dir.ReadFile(ProfilePath(profile))
	_, secret, bad := f.dir.ReadFile(SecretsPath(profile))
	return configured || secret, errors.Join(err, bad)
}

// move has a profile's directory renamed. What is in its new place already is nobody's
// whom sp knows.
func (f *follower) move(from, to string) error {
	if f.o.Defer {
		return nil
	}
	if exists(f.dir.Full("profiles/" + to)) {
		return fmt.Errorf("%s: %w (move it away)", f.dir.Full("profiles/"+to), registry.ErrExists)
	}
	f.found.Moves = append(f.found.Moves, FileMove{From: "profiles/" + from, To: "profiles/" + to})
	return nil
}

// inherit has what is remembered of the files under the old name hold for the new one,
// if nothing is of that.
func (f *follower) inherit(ctx context.Context, from, to string) error {
	for old, path := range map[string]string{ProfilePath(from): ProfilePath(to), SecretsPath(from): SecretsPath(to), ComposePath(from): ComposePath(to)} {
		now, err := f.remembered(ctx, path)
		if err != nil {
			return err
		}
		known, err := f.remembered(ctx, old)
		if err != nil {
			return err
		}
		if now == nil && known != nil {
			moved := *known
			moved.Path = path
			f.known[path] = &moved
		}
	}
	return nil
}

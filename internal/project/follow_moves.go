package project

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"

	"github.com/sp-registry/sp/internal/registry"
)

// resumeMoves finds the profiles whose directory has the name that they had before: a
// command was stopped before it was moved, or left that to a later one.
func (f *follower) resumeMoves(ctx context.Context, behind []registry.FollowingFile) error {
	for _, file := range behind {
		name := profileOf(file.Path)
		if file.Path == IndexPath || f.dir.isThere("profiles/"+name) {
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

// undoneMoves finds the profiles that this change took away under one name and brought
// back under another: to the history, which an undo goes by, a new name is another profile.
func (f *follower) undoneMoves(ctx context.Context) error {
	there := map[string][]registry.ProfileSecret{} // new ones without files
	var gone []string
	for _, name := range f.due.Profiles {
		is, err := f.isProfile(ctx, name)
		switch {
		case err != nil:
			return err
		case !is:
			gone = append(gone, name)
		case f.nameBefore(name) == "" && !f.dir.isThere("profiles/"+name):
			if there[name], err = f.view.ProfileSecrets(ctx, name); err != nil {
				return err
			}
		}
	}
	for _, from := range gone {
		if err := f.undoneMove(ctx, from, there); err != nil {
			return err
		}
	}
	return nil
}

// undoneMove knows a profile again by its secrets, which no two profiles share that sp
// has made.
func (f *follower) undoneMove(ctx context.Context, from string, there map[string][]registry.ProfileSecret) error {
	s, err := f.look(ctx, SecretsPath(from), SecretsPath(from))
	if err != nil || f.renamed[from] != "" {
		return err
	}
	had, err := ReadSecrets(s.base)
	if err != nil {
		return err
	}
	had = slices.DeleteFunc(had, func(m SecretMember) bool { return slices.Contains(registry.TenantSecrets, m.Name) })
	for to, has := range there {
		same := func(s registry.ProfileSecret) bool {
			value := secretNamed(had, s.Key)
			return value != nil && value.Equal(s.Value)
		}
		if len(has) > 0 && len(has) == len(had) && !slices.ContainsFunc(has, func(s registry.ProfileSecret) bool { return !same(s) }) {
			f.renamed[from] = to
			delete(there, to)
			return nil
		}
	}
	return nil
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
	if f.dir.isThere("profiles/" + to) {
		return fmt.Errorf("%s: %w (move it away)", f.dir.Full("profiles/"+to), registry.ErrExists)
	}
	f.found.Moves = append(f.found.Moves, FileMove{From: "profiles/" + from, To: "profiles/" + to})
	return nil
}

func (d Dir) isThere(inside string) bool {
	_, err := os.Lstat(d.Full(inside))
	return err == nil
}

// inherit has what is remembered of the files under the old name hold for the new one,
// if nothing is of that.
func (f *follower) inherit(ctx context.Context, from, to string) error {
	for old, path := range map[string]string{ProfilePath(from): ProfilePath(to), SecretsPath(from): SecretsPath(to)} {
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

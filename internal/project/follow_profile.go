package project

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/sp-registry/sp/internal/registry"
)

// profile is what becomes of the files of a profile.
func (f *follower) profile(ctx context.Context, name string) error {
	p, err := f.view.Profile(ctx, name)
	if errors.Is(err, registry.ErrNotFound) {
		return f.gone(ctx, name)
	}
	if err != nil {
		return err
	}
	from, err := f.movedFrom(ctx, name)
	if err != nil {
		return err
	}
	if err := f.configuration(ctx, p, from); err != nil {
		return err
	}
	return f.secrets(ctx, p, from)
}

// movedFrom returns the name that a profile had before the change, and has its
// directory renamed.
func (f *follower) movedFrom(ctx context.Context, name string) (string, error) {
	for from, to := range f.due.Renamed {
		if to != name || f.o.Defer {
			continue
		}
		_, there, err := f.dir.ReadFile(ProfilePath(from))
		if err != nil || !there {
			return name, err
		}
		if exists(f.dir.Full("profiles/" + name)) {
			return "", fmt.Errorf("%s: %w", f.dir.Full("profiles/"+name), registry.ErrExists)
		}
		f.found.Moves = append(f.found.Moves, FileMove{From: "profiles/" + from, To: "profiles/" + name})
		return from, f.inherit(ctx, from, name)
	}
	return name, nil
}

// inherit has what is remembered of the files under the old name hold for the new one.
func (f *follower) inherit(ctx context.Context, from, to string) error {
	for old, path := range map[string]string{ProfilePath(from): ProfilePath(to), SecretsPath(from): SecretsPath(to)} {
		known, err := f.remembered(ctx, old)
		if err != nil {
			return err
		}
		if known != nil {
			moved := *known
			moved.Path = path
			f.known[path] = &moved
		}
	}
	return nil
}

// withoutSecrets forgets what sp wrote into a secrets.json: its hash is enough to take the
// file away, and the secrets may have been purged.
func (s standingFile) withoutSecrets() standingFile {
	if path.Base(s.path) == path.Base(SecretsPath("")) {
		known := *s.known
		known.Base, s.known = "", &known
	}
	return s
}

// gone is what becomes of the files of a profile that is no more: those that sp wrote
// and nobody else changed go.
func (f *follower) gone(ctx context.Context, name string) error {
	_, moved := f.due.Renamed[name]
	for _, file := range []string{SecretsPath(name), ProfilePath(name)} {
		s, err := f.look(ctx, file, file)
		if err != nil {
			return err
		}
		switch {
		case s.known == nil && !s.there || moved && s.known == nil:
		case s.known != nil && (moved || f.o.Defer):
			f.putOff(s)
		case s.known != nil && !s.there:
			f.found.Forgotten = append(f.found.Forgotten, file)
		case s.isOurs() && s.known.Previous != s.known.Current:
			f.putOff(s.withoutSecrets())
			f.found.Changes = append(f.found.Changes, FileChange{Path: file, Expected: s.hash})
		default:
			f.found.Left = append(f.found.Left, file)
			if s.known != nil {
				f.found.Forgotten = append(f.found.Forgotten, file)
			}
		}
	}
	return nil
}

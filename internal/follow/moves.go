package follow

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/registry"
)

// resumeMoves finds the profiles whose directory has the name that they had before: a
// command was stopped before it was moved, or left that to a later one.
func (d *decider) resumeMoves(ctx context.Context, behind []registry.FollowingFile) error {
	for _, file := range behind {
		if k := kindOf(d.kinds, file.Kind); k == nil || k.alike || !k.ofProfile() || d.dir.Has("profiles/"+file.Profile) {
			continue
		}
		for _, old := range behind {
			if old.Path == file.Path || old.Kind != file.Kind {
				continue
			}
			text, there, err := d.dir.read(old.Path)
			if err != nil {
				return err
			}
			if hash := hashOf(text); !there || hash != file.Previous && hash != file.Current {
				continue
			}
			if err := d.resume(ctx, old.Profile, file.Profile); err != nil {
				return err
			}
		}
	}
	return nil
}

// resume has a directory follow its profile, if that is still there, or has yet another
// name, and no other one needs it.
func (d *decider) resume(ctx context.Context, from, to string) error {
	if d.renamed[from] != "" {
		return nil
	}
	needed, err := d.isProfile(ctx, from)
	if err != nil || needed {
		return err
	}
	there, err := d.isProfile(ctx, to)
	if there || d.renamed[to] != "" {
		d.renamed[from] = to
	}
	return err
}

func (d *decider) isProfile(ctx context.Context, name string) (bool, error) {
	_, err := d.view.Profile(ctx, name)
	if errors.Is(err, registry.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// movedFrom returns the name that a profile's directory has before the change, and has
// it renamed.
func (d *decider) movedFrom(ctx context.Context, name string) (string, error) {
	from := name
	for range len(d.renamed) {
		if from = d.nameBefore(from); from == "" {
			return name, nil
		}
		if err := d.inherit(ctx, from, name); err != nil {
			return name, err
		}
		if there, err := d.hasFiles(from); err != nil || there {
			return from, errors.Join(err, d.move(from, name))
		}
	}
	return name, nil
}

func (d *decider) nameBefore(name string) string {
	for from, to := range d.renamed {
		if to == name {
			return from
		}
	}
	return ""
}

func (d *decider) hasFiles(profile string) (some bool, err error) {
	for _, k := range d.kinds {
		if k.ofProfile() && !k.alike {
			_, there, bad := d.dir.read(k.of(profile))
			some, err = some || there, errors.Join(err, bad)
		}
	}
	return some, err
}

// move has a profile's directory renamed. What is in its new place already is nobody's
// whom sp knows.
func (d *decider) move(from, to string) error {
	if d.o.Defer {
		return nil
	}
	if d.dir.Has("profiles/" + to) {
		return fmt.Errorf("%s: %w (move it away)", d.dir.full("profiles/"+to), registry.ErrExists)
	}
	d.found.Moves = append(d.found.Moves, Move{From: "profiles/" + from, To: "profiles/" + to})
	return nil
}

// inherit has what is remembered of the files under the old name hold for the new one,
// if nothing is of that.
func (d *decider) inherit(ctx context.Context, from, to string) error {
	for _, k := range d.kinds {
		if !k.ofProfile() {
			continue
		}
		now, err := d.remembered(ctx, k.of(to))
		if err != nil {
			return err
		}
		known, err := d.remembered(ctx, k.of(from))
		if err != nil {
			return err
		}
		if now == nil && known != nil {
			moved := *known
			moved.Path, moved.Profile = k.of(to), to
			d.known[moved.Path] = &moved
		}
	}
	return nil
}

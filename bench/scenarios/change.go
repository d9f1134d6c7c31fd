package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sp-registry/sp/bench/pair"
)

// oneChange is P14: a tenant made, durably, and the tracked file with it, by resolve.
// Among 100k tenants the file is 45 MB: what that costs, and what --no-export saves.
func oneChange(b *Bench) ([]Figure, error) {
	url := filepath.Join(b.Work, "url")
	if err := os.WriteFile(url, []byte("postgres://sp:secret@localhost:5432/sp\n"), 0o600); err != nil {
		return nil, err
	}
	few, err := b.changing("change-10", 10, url)
	if err != nil {
		return nil, err
	}
	many, err := b.changing("change-100k", 100_000, url)
	if err != nil {
		return nil, err
	}
	return []Figure{
		b.ratio("`sp tenant create` with its export / resolve, 10", few, "create", "resolve", pair.Bound{Gate: 3.0, Stretch: 2.2}),
		b.ratio("`sp tenant create --no-export` / resolve, 10", few, "create --no-export", "resolve", pair.Bound{}),
		b.ratio("`sp tenant create` with its export / resolve, 100k", many, "create", "resolve", pair.Bound{}),
		b.ratio("`sp tenant create --no-export` / resolve, 100k", many, "create --no-export", "resolve", pair.Bound{}),
	}, nil
}

// changing measures creating a tenant, which is deleted again, in a place of its own and
// in another one in which the tracked file is left behind.
func (b *Bench) changing(name string, n int, url string) (pair.Series, error) {
	current, err := b.tracked(name, n)
	if err != nil {
		return nil, err
	}
	behind, err := b.tracked(name+"-behind", n)
	if err != nil {
		return nil, err
	}
	create := func(p Place, label string, more ...string) pair.Command {
		c := b.sp(p, label, append([]string{"tenant", "create", "--id", "local_bench", "--name", "bench", "--database-url-file", url}, more...)...)
		c.After = func() error {
			_, err := b.Rig.Run(b.sp(p, "clearing", append([]string{"tenant", "delete", "local_bench", "-y"}, more...)...))
			return err
		}
		return c
	}
	made, left := create(current, "create"), create(behind, "create --no-export", "--no-export")
	if err := errors.Join(b.follows(made, current, true), b.follows(left, behind, false)); err != nil {
		return nil, err
	}
	s, err := b.Rig.Compare(b.rounds(n), made, left, b.resolve(current, "resolve"))
	if err != nil {
		return nil, err
	}
	if err := sameBytes(current.store("tenants.json"), current.File); err != nil {
		return nil, err
	}
	for _, p := range []Place{current, behind} {
		if err := os.RemoveAll(p.Dir); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// follows makes sure that a change is in the tracked file when it is made, or is not.
func (b *Bench) follows(change pair.Command, p Place, wanted bool) error {
	clear := change.After
	change.After = func() error {
		text, err := os.ReadFile(p.store("tenants.json"))
		if err == nil && bytes.Contains(text, []byte(`"local_bench"`)) != wanted {
			err = fmt.Errorf("%s: that the change is in the file is %t", change.Label, !wanted)
		}
		return errors.Join(err, clear())
	}
	_, err := b.Rig.Run(change)
	return err
}

// tracked is a place whose tenants.json follows.
func (b *Bench) tracked(name string, n int) (Place, error) {
	p, err := b.makePlace(name, n)
	if err == nil {
		_, err = b.Rig.Run(b.sp(p, "set-up", "export"))
	}
	return p, err
}

package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sp-registry/sp/bench/gen"
	"github.com/sp-registry/sp/bench/pair"
)

// Place is a directory in which sp is run, and the tenant that is looked up there.
type Place struct {
	Dir    string
	File   string // the tenants.json that was imported
	Tenant string
	N      int
}

func (p Place) store(name string) string { return filepath.Join(p.Dir, ".systemprompt", name) }

// file is the registry of n tenants.
func (b *Bench) file(n int) (gen.File, error) {
	if f, made := b.files[n]; made {
		return f, nil
	}
	f, err := gen.Make(b.Cache, n)
	if err == nil {
		if b.files == nil {
			b.files = map[int]gen.File{}
		}
		b.files[n] = f
		b.Note("registry of %s tenants: %d bytes, SHA-256 %s", count(n), f.Size, f.SHA256)
	}
	return f, err
}

// Files are the registries that were used.
func (b *Bench) Files() map[int]gen.File { return b.files }

// place is the one place with n tenants that nobody changes.
func (b *Bench) place(n int) (Place, error) {
	if p, made := b.places[n]; made {
		return p, nil
	}
	p, err := b.makePlace(fmt.Sprintf("place-%d", n), n)
	if err == nil {
		if b.places == nil {
			b.places = map[int]Place{}
		}
		b.places[n] = p
	}
	return p, err
}

// makePlace has the sp under test import the registry of n tenants; a session chooses
// the local one in the middle.
func (b *Bench) makePlace(name string, n int) (Place, error) {
	f, err := b.file(n)
	if err != nil {
		return Place{}, err
	}
	p := Place{Dir: filepath.Join(b.Work, name), File: f.Path, Tenant: gen.ID(n / 2 &^ 1), N: n}
	if err := p.empty(); err != nil {
		return p, err
	}
	for _, args := range [][]string{
		{"import", f.Path, "--no-export"},
		{"export", "--stop"}, // a scenario that is of the file starts it
		{"tenant", "select", p.Tenant},
		{"profile", "create", "bench"},
		{"session", "switch", "bench"},
	} {
		if _, err := b.Rig.Run(b.sp(p, "set-up", args...)); err != nil {
			return p, err
		}
	}
	return p, b.isWhole(p)
}

// empty makes the place's directory anew.
func (p Place) empty() error {
	return errors.Join(os.RemoveAll(p.Dir), os.MkdirAll(p.Dir, 0o700))
}

// isWhole makes sure that the registry holds every byte of what was imported.
func (b *Bench) isWhole(p Place) error {
	c := b.sp(p, "check", "export", "-")
	c.Stdout = filepath.Join(b.Work, "check.json")
	if _, err := b.Rig.Run(c); err != nil {
		return err
	}
	return errors.Join(sameBytes(c.Stdout, p.File), os.Remove(c.Stdout))
}

// sp is `sp ARGUMENT...` in a place.
func (b *Bench) sp(p Place, label string, args ...string) pair.Command {
	return pair.Command{Label: label, Program: b.Peers.SP.Path, Args: args, Dir: p.Dir}
}

func (b *Bench) resolve(p Place, label string) pair.Command { return b.sp(p, label, "resolve") }

func (b *Bench) empty(label string) pair.Command {
	return pair.Command{Label: label, Program: b.Peers.Empty.Path}
}

// answersLines makes sure that a command prints so many lines.
func (b *Bench) answersLines(c pair.Command, want int) error {
	c.Stdout = filepath.Join(b.Work, "answer")
	if _, err := b.Rig.Run(c); err != nil {
		return err
	}
	answer, err := os.ReadFile(c.Stdout)
	if got := bytes.Count(answer, []byte("\n")); err == nil && got != want {
		err = fmt.Errorf("%s answers %d lines, not %d", c.Label, got, want)
	}
	return err
}

// answerAlike makes sure that commands print the same bytes, and something at all.
func (b *Bench) answerAlike(commands ...pair.Command) error {
	var first []byte
	for i, c := range commands {
		c.Stdout = filepath.Join(b.Work, "answer")
		if _, err := b.Rig.Run(c); err != nil {
			return err
		}
		answer, err := os.ReadFile(c.Stdout)
		if err != nil {
			return err
		}
		if i == 0 {
			first = answer
		}
		if len(answer) == 0 || !bytes.Equal(first, answer) {
			return fmt.Errorf("%s answers something else than %s", c.Label, commands[0].Label)
		}
	}
	return nil
}

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

// D1 to D4 are changes that other files than tenants.json follow. Nothing is asked of
// them: they are measured so that a change of theirs shows.

// switching is D1: a session chosen where the index has 20.
func switching(b *Bench) ([]Figure, error) {
	const n = 20
	p, err := b.moved("switch", n)
	if err != nil {
		return nil, err
	}
	choose := func(label string, i int) pair.Command {
		return b.sp(p, label, "session", "switch", gen.Profile(i))
	}
	c := choose("switch", 1)
	c.Before = b.running(choose("back", 0))
	c.After = func() error {
		return errors.Join(holds(p.store("sessions/index.json"), `"session_token": "token-`, n),
			holds(p.store("sessions/index.json"), fmt.Sprintf(`"active_profile_name": %q`, gen.Profile(1)), 1))
	}
	s, err := b.Rig.Compare(b.rounds(n), c, b.resolve(p, "resolve"))
	if err != nil {
		return nil, err
	}
	return []Figure{b.ratio("`sp session switch`, 20 sessions / resolve", s, "switch", "resolve", pair.Bound{})}, os.RemoveAll(p.Dir)
}

// following is D2: a tenant's URL edited, which stands in the files of 10 profiles, by the
// same without any profile.
func following(b *Bench) ([]Figure, error) {
	p, profiles, err := b.profiled("edit", 10)
	if err != nil {
		return nil, err
	}
	const url = "postgres://sp:%s@localhost:5432/sp"
	edit := func(label, tenant, password string) pair.Command {
		return b.sp(p, label, "tenant", "edit", tenant, "--database-url", fmt.Sprintf(url, password))
	}
	with, without := edit("with", p.Tenant, "one"), edit("without", gen.ID(0), "two")
	with.Before, without.Before = b.running(edit("back", p.Tenant, "old")), b.running(edit("back", gen.ID(0), "old"))
	with.After = func() error {
		err := holds(p.store("tenants.json"), fmt.Sprintf(url, "one"), 1)
		for _, name := range profiles {
			err = errors.Join(err, holds(p.store("profiles/"+name+"/secrets.json"), fmt.Sprintf(url, "one"), 1))
		}
		return err
	}
	without.After = func() error { return holds(p.store("tenants.json"), fmt.Sprintf(url, "two"), 1) }
	s, err := b.Rig.Compare(b.rounds(10), with, without, b.resolve(p, "resolve"))
	if err != nil {
		return nil, err
	}
	return []Figure{
		b.ratio("`sp tenant edit` of a URL, 10 profiles / no profile", s, "with", "without", pair.Bound{}),
		b.ratio("`sp tenant edit` of a URL, 10 profiles / resolve", s, "with", "resolve", pair.Bound{}),
	}, os.RemoveAll(p.Dir)
}

// profiled is a place whose tenant has so many profiles, which are named.
func (b *Bench) profiled(name string, n int) (p Place, profiles []string, err error) {
	p, err = b.tracked(name, 10)
	profiles = []string{"bench"} // which every place has
	for i := 1; i < n && err == nil; i++ {
		profiles = append(profiles, gen.Profile(i))
		_, err = b.Rig.Run(b.sp(p, "set-up", "profile", "create", gen.Profile(i), "--tenant", p.Tenant))
	}
	return p, profiles, err
}

// moving is D3, of 1k of each.
func moving(b *Bench) ([]Figure, error) { return b.moving(1000) }

// moving measures the import of a whole directory, of its own and of another project's, by
// that of its tenants.json alone.
func (b *Bench) moving(n int) ([]Figure, error) {
	own, copied := Place{Dir: filepath.Join(b.Work, "moving"), N: n}, Place{Dir: filepath.Join(b.Work, "copying"), N: n}
	source := filepath.Join(b.Work, "source")
	if err := gen.WriteDirectory(filepath.Join(source, ".systemprompt"), n); err != nil {
		return nil, err
	}
	take := b.sp(own, "own", "import")
	take.Before = func() error { return gen.WriteDirectory(own.store(""), n) }
	fetch := b.sp(copied, "copy", "import", source)
	fetch.Before = copied.empty
	alone := Place{Dir: filepath.Join(b.Work, "alone")}
	tenants := b.sp(alone, "tenants", "import", filepath.Join(source, ".systemprompt", "tenants.json"))
	tenants.Before = alone.empty
	for command, p := range map[*pair.Command]Place{&take: own, &fetch: copied} {
		if _, err := b.Rig.Run(*command); err != nil {
			return nil, err
		}
		if err := b.isMoved(p, source); err != nil {
			return nil, err
		}
	}
	s, err := b.Rig.Compare(b.rounds(100_000), take, fetch, tenants)
	if err != nil {
		return nil, err
	}
	return []Figure{
		b.ratio(fmt.Sprintf("`sp import` of its directory, %s tenants, profiles, sessions / tenants.json alone", count(n)), s, "own", "tenants", pair.Bound{}),
		b.ratio("`sp import` of another project's directory / the same", s, "copy", "tenants", pair.Bound{}),
		peak("`sp import` of its directory: peak memory", s, "own", pair.Bound{}),
	}, errors.Join(os.RemoveAll(own.Dir), os.RemoveAll(copied.Dir), os.RemoveAll(alone.Dir), os.RemoveAll(source))
}

// creating is D4: a profile made, with its files.
func creating(b *Bench) ([]Figure, error) {
	p, err := b.tracked("create", 10)
	if err != nil {
		return nil, err
	}
	c := b.sp(p, "create", "profile", "create", "made", "--tenant", p.Tenant)
	c.After = func() error {
		return errors.Join(holds(p.store("profiles/made/profile.yaml"), "tenant_id: "+p.Tenant+"\n", 1),
			holds(p.store("profiles/made/secrets.json"), `"database_url": "postgres`, 1),
			b.running(b.sp(p, "clearing", "profile", "delete", "made", "-y"))())
	}
	s, err := b.Rig.Compare(b.rounds(10), c, b.resolve(p, "resolve"))
	if err != nil {
		return nil, err
	}
	return []Figure{b.ratio("`sp profile create` with its files / resolve", s, "create", "resolve", pair.Bound{})}, os.RemoveAll(p.Dir)
}

// moved is a place whose registry was made of a directory.
func (b *Bench) moved(name string, n int) (Place, error) {
	p := Place{Dir: filepath.Join(b.Work, name), N: n}
	source := p.store("")
	if err := gen.WriteDirectory(source, n); err != nil {
		return p, err
	}
	if _, err := b.Rig.Run(b.sp(p, "set-up", "import")); err != nil {
		return p, err
	}
	return p, b.isMoved(p, p.Dir)
}

// isMoved makes sure that the registry holds what the project has of which it was made: all
// of the tenants to the byte, and a profile, a session and the secrets for each.
func (b *Bench) isMoved(p Place, project string) error {
	p.File = filepath.Join(project, ".systemprompt", "tenants.json")
	last := gen.Profile(p.N - 1)
	secrets := filepath.Join("profiles", last, "secrets.json")
	secret := b.sp(p, "secret", "secrets", "get", "anthropic", "--reveal", "--profile", last)
	secret.Stdout = filepath.Join(b.Work, "secret")
	return errors.Join(b.isWhole(p),
		b.answersLines(b.sp(p, "profiles", "profile", "list", "--all"), p.N), b.answersLines(b.sp(p, "sessions", "session", "list"), p.N),
		b.running(secret)(), holds(secret.Stdout, fmt.Sprintf("sk-ant-%d\n", p.N-1), 1), sameBytes(p.store(secrets), filepath.Join(project, ".systemprompt", secrets)))
}

// running is something to do that a command does.
func (b *Bench) running(c pair.Command) func() error {
	return func() error {
		_, err := b.Rig.Run(c)
		return err
	}
}

// holds makes sure that a file has a text so many times.
func holds(path, text string, times int) error {
	whole, err := os.ReadFile(path)
	if got := bytes.Count(whole, []byte(text)); err == nil && got != times {
		err = fmt.Errorf("%s: it holds %s %d times, not %d", path, text, got, times)
	}
	return err
}

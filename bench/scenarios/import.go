package scenarios

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/sp-registry/sp/bench/pair"
)

// importing runs the ways of getting n tenants into an empty registry, or where there is
// none yet, once a run of the bench. All have the rollback journal; sp syncs more than
// FULL (EXTRA), and a new registry once, before it gets its name.
func (b *Bench) importing(n int) (pair.Series, error) {
	if s, measured := b.imports[n]; measured {
		return s, nil
	}
	f, err := b.file(n)
	if err != nil {
		return nil, err
	}
	place := Place{Dir: filepath.Join(b.Work, "import"), File: f.Path, N: n}
	sp := b.sp(place, "sp", "import", f.Path, "--no-export") // the file is P7's
	sp.Before = func() error {
		if err := place.empty(); err != nil {
			return err
		}
		_, err := b.Rig.Run(b.sp(place, "init", "init"))
		return err
	}
	if _, err := b.Rig.Run(sp); err != nil {
		return nil, err
	}
	if err := b.isWhole(place); err != nil {
		return nil, err
	}
	unmade := b.sp(place, "new", "import", f.Path, "--no-export")
	unmade.Before = place.empty
	followed := b.sp(place, "followed", "import", f.Path)
	followed.Before = place.empty
	commands := []pair.Command{sp, unmade, followed}
	if b.Peers.SQLite != nil {
		c, err := b.sqliteImport(place)
		if err != nil {
			return nil, err
		}
		commands = append(commands, c)
	}
	s, err := b.Rig.Compare(b.rounds(n), commands...)
	if err != nil {
		return nil, err
	}
	if b.imports == nil {
		b.imports = map[int]pair.Series{}
	}
	b.imports[n] = s
	return s, os.RemoveAll(place.Dir)
}

// sqlScript is the obvious way with the sqlite3 command, not the best one: it reads the
// whole document, and fills both indexes as it goes.
const sqlScript = `.bail on
PRAGMA journal_mode=DELETE;
PRAGMA synchronous=FULL;
CREATE TABLE tenants (
    position INTEGER NOT NULL PRIMARY KEY, id TEXT NOT NULL, name TEXT NOT NULL, app_id TEXT, hostname TEXT, region TEXT,
    database_url TEXT, internal_database_url TEXT, tenant_type TEXT NOT NULL, external_db_access INTEGER NOT NULL,
    sync_token TEXT, shared_container_db TEXT
) STRICT;
CREATE UNIQUE INDEX tenants_id ON tenants (id);
CREATE INDEX tenants_name ON tenants (name);
INSERT INTO tenants
SELECT key + 1, value->>'id', value->>'name', value->>'app_id', value->>'hostname', value->>'region',
       value->>'database_url', value->>'internal_database_url', value->>'tenant_type', value->>'external_db_access',
       value->>'sync_token', value->>'shared_container_db'
FROM json_each(readfile('%s'), '$.tenants');
`

// sqliteImport prepares that, and makes sure that it imports.
func (b *Bench) sqliteImport(p Place) (pair.Command, error) {
	script, file := filepath.Join(b.Work, "import.sql"), filepath.Join(b.Work, "sqlite3.db")
	text := fmt.Sprintf(sqlScript, strings.ReplaceAll(p.File, "'", "''"))
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		return pair.Command{}, err
	}
	c := pair.Command{Label: "sqlite3", Program: b.Peers.SQLite.Path, Args: []string{file}, Stdin: script, Before: removing(file)}
	if _, err := b.Rig.Run(c); err != nil {
		return c, err
	}
	answer := filepath.Join(b.Work, "answer")
	look := pair.Command{Label: "sqlite3", Program: c.Program, Stdout: answer, Args: []string{file, "SELECT count(*), count(DISTINCT id) FROM tenants"}}
	if _, err := b.Rig.Run(look); err != nil {
		return c, err
	}
	got, err := os.ReadFile(answer)
	if want := fmt.Sprintf("%d|%d\n", p.N, p.N); err == nil && string(got) != want {
		err = fmt.Errorf("sqlite3 imported %q, not %q", got, want)
	}
	return c, err
}

// importAtScale is P10: an import into an empty registry, by the C sqlite3 command.
func importAtScale(b *Bench) ([]Figure, error) {
	bounds := map[int]pair.Bound{100_000: {Gate: 0.85, Stretch: 0.40}, 1_000_000: {Gate: 0.60, Stretch: 0.30}}
	firstBounds := map[int]pair.Bound{100_000: {Gate: 0.85}}
	name := func(n int) string {
		return fmt.Sprintf("`sp import`, empty registry / C sqlite3 json_each, DELETE FULL, %s", count(n))
	}
	var figures []Figure
	now, left := b.sizes(100_000, 1_000_000)
	for _, n := range now {
		s, err := b.importing(n)
		if err != nil {
			return figures, err
		}
		if b.Peers.SQLite == nil {
			figures = append(figures, Figure{Name: name(n), Bound: bounds[n], Missing: "no sqlite3", Note: took(s, "sp")})
			continue
		}
		figures = append(figures, b.ratio(name(n), s, "sp", "sqlite3", bounds[n]),
			b.ratio(fmt.Sprintf("`sp import`, no registry yet / the same, %s", count(n)), s, "new", "sqlite3", firstBounds[n]),
			b.ratio(fmt.Sprintf("`sp import`, no registry yet, with the file that follows / the same, %s", count(n)), s, "followed", "sqlite3", pair.Bound{}))
	}
	for _, n := range left {
		figures = append(figures, Figure{Name: name(n), Bound: bounds[n], Missing: onlyFull})
	}
	return figures, nil
}

// importUnchanged is P12: the import of a file whose tenants are all there already.
func importUnchanged(b *Bench) ([]Figure, error) {
	const n = 100_000
	place, err := b.makePlace("again", n) // where no tenants.json follows, as after the first
	if err != nil {
		return nil, err
	}
	empty := Place{Dir: filepath.Join(b.Work, "import"), File: place.File, N: n}
	first := b.sp(empty, "first", "import", place.File, "--no-export")
	first.Before = empty.empty
	s, err := b.Rig.Compare(b.rounds(n), first, b.sp(place, "again", "import", place.File, "--no-export"))
	if err != nil {
		return nil, err
	}
	if err := b.isWhole(place); err != nil {
		return nil, err
	}
	figure := b.ratio("`sp import` of an unchanged file / first import, 100k", s, "again", "first", pair.Bound{Gate: 0.5, Stretch: 0.2})
	return []Figure{figure}, errors.Join(os.RemoveAll(empty.Dir), os.RemoveAll(place.Dir))
}

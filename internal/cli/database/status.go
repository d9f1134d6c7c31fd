package database

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

func statusCommand() *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "show the servers that sp knows, their state and their databases",
		Run:   task.Run(status),
	}
}

// state is how a server is, in JSON.
type state struct {
	record
	State     hosting.ServerState `json:"state"`
	Running   bool                `json:"running"`
	Version   *string             `json:"version"`
	Trouble   *trouble            `json:"trouble"`
	Free      *int64              `json:"free_bytes"`
	Databases []databaseState     `json:"databases"`

	advice cli.Advice // what helps against the trouble
}

// trouble is why a server can't be used: a code, and a sentence.
type trouble struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// databaseState is how a database that sp made is, in JSON.
type databaseState struct {
	task.DatabaseRecord
	Tenant  task.TenantRef `json:"tenant"`
	Orphan  bool           `json:"tenant_is_gone"`
	Missing bool           `json:"is_missing"`
	usage
	// Extras are the databases for tests beside it; null where its server does not tell.
	Extras []extra `json:"extra_databases"`
}

// extra is a database for tests, in JSON.
type extra struct {
	Name string `json:"name"`
	usage
}

// next is where the database of a new tenant would be made, in JSON: on a server that is known, with a
// provider that makes one, or nowhere.
type next struct {
	Code     string             `json:"code"`
	Message  string             `json:"message"`
	Server   *string            `json:"server"`
	Provider *registry.Provider `json:"provider"`
}

// found are the servers, in JSON, and where the next database would be made.
type found struct {
	Servers []state `json:"servers"`
	Next    next    `json:"next"`
}

func status(ctx context.Context, t *task.Task) (a cli.Answer, err error) {
	err = t.UntilTold(ctx, func(ctx context.Context) error {
		f, err := look(ctx, t)
		a = cli.Answer{Value: f, Rows: f.rows()}
		if t.IsTerminal() {
			a = f.forPeople(t.Now())
		}
		return err
	})
	return a, err
}

// look reads what is recorded, and then asks each server.
func look(ctx context.Context, t *task.Task) (f found, err error) {
	var m *hosting.Machine
	var servers []registry.Server
	var databases []registry.Database
	f.Servers = []state{}
	err = t.Read(ctx, func(dir project.Dir, view *registry.View) (err error) {
		m = t.Machine(dir, nil)
		if servers, err = view.Servers(ctx); err != nil {
			return err
		}
		for _, s := range servers {
			f.Servers = append(f.Servers, state{record: recordOf(s), Databases: []databaseState{}})
		}
		if databases, err = view.Databases(ctx); err != nil {
			return err
		}
		return putDatabases(ctx, view, databases, f.Servers)
	})
	if err != nil {
		return f, err
	}
	for i, is := range m.Statuses(ctx, servers, databases) {
		f.Servers[i].put(t, is, databases)
	}
	f.Next, err = nextServer(ctx, t, servers)
	return f, err
}

// putDatabases puts the databases to their servers.
func putDatabases(ctx context.Context, view *registry.View, databases []registry.Database, servers []state) error {
	names := task.NamesIn(ctx, view)
	for _, d := range databases {
		gone, err := view.IsGone(ctx, d.Tenant)
		if err != nil {
			return err
		}
		for i := range servers {
			if servers[i].Name == d.Server {
				servers[i].Databases = append(servers[i].Databases, databaseState{DatabaseRecord: task.DatabaseOf(d), Tenant: names(d.Tenant), Orphan: gone})
			}
		}
	}
	return nil
}

// put puts down how a server is.
func (s *state) put(t *task.Task, is hosting.Status, databases []registry.Database) {
	s.State, s.Running, s.Free = is.State, is.State == hosting.ServerReady, is.Free
	if is.Version != "" {
		s.Version = &is.Version
	}
	switch {
	case is.Trouble != nil:
		f := t.FailureOf(is.Trouble)
		s.Trouble, s.advice = &trouble{f.Code, f.Message}, f.Advice
	case is.State == hosting.ServerStopped:
		s.Trouble, s.advice = &trouble{"stopped", "stopped"}, cli.Advise("%s starts server %s", cli.To("sp db up"), s.Name)
	}
	for i, d := range s.Databases {
		s.Databases[i].Missing = slices.Contains(is.Missing, d.Tenant.ID)
		at := slices.IndexFunc(databases, func(r registry.Database) bool { return r.Tenant == d.Tenant.ID })
		s.Databases[i].usage = usageOf(databases[at], d.Name, is.Usages)
		if is.Usages != nil {
			s.Databases[i].Extras = extrasOf(databases[at], is.Usages)
		}
	}
}

// nextServer says where the database of a new tenant would be made.
func nextServer(ctx context.Context, t *task.Task, known []registry.Server) (next, error) {
	s, err := t.FindServer(ctx, t.WantedByDefault(), known)
	if err == nil {
		if err = hosting.CheckWithheld(s); err != nil {
			err = fmt.Errorf("server %s: %w", s.Name, err)
		}
	}
	switch {
	case err != nil:
		return next{Code: "nowhere", Message: "nowhere: " + t.Failure(err).Message}, nil
	case s.Admin.Empty():
		with, err := t.Machine(project.Dir{}, nil).CanRun(ctx, s.Provider)
		return next{Code: "new_server", Message: "a new database would be made with " + with, Provider: &s.Provider}, err
	}
	return next{Code: "server", Message: "a new database would be made on server " + s.Name, Server: &s.Name, Provider: &s.Provider}, nil
}

// rows are the servers with what is on them, and where the next database would be made.
func (f found) rows() iter.Seq2[cli.Row, error] {
	return func(yield func(cli.Row, error) bool) {
		for row := range f.servers() {
			if !yield(row, nil) {
				return
			}
		}
		yield(cli.Row{Cells: []string{"next", f.Next.Message}}, nil)
	}
}

func (f found) servers() iter.Seq2[cli.Row, error] {
	return func(yield func(cli.Row, error) bool) {
		for _, s := range f.Servers {
			for _, row := range s.rows() {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// forPeople is a table of the databases, and under it what is to be said of them and of their servers.
func (f found) forPeople(now time.Time) cli.Answer {
	a := cli.Answer{
		Value: f, Title: "Databases", Heads: []string{"NAME", "TENANT", "SERVER", "SIZE", "SESSIONS", "OLDEST TX", "LAST USE", "STATE"},
		Whole: []string{"SIZE", "SESSIONS", "OLDEST TX", "LAST USE"}, Tails: []string{"NAME"},
	}
	var rows [][]string
	for _, s := range f.Servers {
		server := s.Name
		if len(f.Servers) == 1 {
			server = ""
		}
		for _, d := range s.Databases {
			rows = append(rows, d.forPeople(now, server, s.State)...)
		}
	}
	a.Heads, rows = withoutUse(a.Heads, rows)
	a.Rows, a.Foot = cli.Rows(rows...), f.foot()
	switch {
	case len(f.Servers) == 0:
		a.Title, a.Heads = "No server is known yet.", nil
	case len(rows) == 0:
		a.Title, a.Heads = "No database is recorded yet.", nil
	}
	return a
}

// withoutUse leaves the columns about use out if no server tells any of it.
func withoutUse(heads []string, rows [][]string) ([]string, [][]string) {
	const from, to = 3, 7
	for _, row := range rows {
		if strings.Join(row[from:to], "") != "" {
			return heads, rows
		}
	}
	for i := range rows {
		rows[i] = slices.Delete(rows[i], from, to)
	}
	return slices.Delete(heads, from, to), rows
}

// foot says how the servers are, what is to be done about databases, and where the next one would be made.
func (f found) foot() (foot cli.Advice) {
	for _, s := range f.Servers {
		foot = foot.And(cli.Advise("%s", strings.Join(s.words(), ", ")))
		if !s.advice.Empty() {
			foot = foot.And(s.advice)
		}
		for _, d := range s.Databases {
			if notes := d.notes(); len(notes) > 1 || d.Missing {
				foot = foot.And(cli.Advise("%s: %s", d.Name, strings.Join(notes, "; ")))
			}
		}
	}
	return foot.And(cli.Advise("next: %s", f.Next.Message))
}

// words say how a server is, for people.
func (s state) words() []string {
	words := []string{"server " + s.Name}
	if s.Address != nil && *s.Address != s.Name {
		words[0] += " at " + *s.Address
	}
	if s.Chosen {
		words[0] += " (chosen)"
	}
	words[0] += ": " + s.is()
	if s.Free != nil {
		words = append(words, sizeOf(*s.Free)+" free")
	}
	return words
}

// is says in what state a server is.
func (s state) is() string {
	switch {
	case s.Trouble != nil:
		return s.Trouble.Message
	case s.Version != nil:
		return "PostgreSQL " + *s.Version
	}
	return string(s.State)
}

func (s state) rows() []cli.Row {
	address, chosen, free := "", "", ""
	if s.Address != nil {
		address = *s.Address
	}
	if s.Chosen {
		chosen = "(chosen)"
	}
	if s.Free != nil {
		free = strconv.FormatInt(*s.Free, 10)
	}
	rows := []cli.Row{{Cells: []string{s.Name, address, s.is(), chosen, free}}}
	for _, d := range s.Databases {
		rows = append(rows, cli.Row{Cells: append([]string{"  " + d.Name, string(d.Tenant.ID), strings.Join(d.notes(), "; ")}, d.cells()...)})
		for _, x := range d.Extras {
			rows = append(rows, cli.Row{Cells: append([]string{"  " + x.Name, string(d.Tenant.ID), forTests}, x.cells()...)})
		}
	}
	return rows
}

// notes says how the database is.
func (d databaseState) notes() []string {
	notes := []string{string(d.State)}
	if d.Missing {
		notes = []string{"missing: it was recorded as " + string(d.State)}
	}
	if d.Orphan {
		notes = append(notes, fmt.Sprintf("its tenant is gone: %s drops it", cli.To("sp tenant delete", string(d.Tenant.ID))))
	}
	if d.OldEnds != nil {
		notes = append(notes, "the old login ends at "+task.Clock(time.Time(*d.OldEnds)))
	}
	if old := d.onOldLogin(); len(old) > 0 {
		notes = append(notes, fmt.Sprintf("%s on the old login: %s", cli.Counted(len(old), "session"), cli.Some(callers(old))))
	}
	for _, x := range d.Extras {
		if old := x.onOldLogin(); len(old) > 0 {
			notes = append(notes, fmt.Sprintf("%s on the old login in %s: %s", cli.Counted(len(old), "session"), x.Name, cli.Some(callers(old))))
		}
	}
	return notes
}

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

func (a *app) dbStatusCommand() *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "tell which servers sp knows, how they are, and what is on them",
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return a.untilTold(ctx, a.dbStatus)
		},
	}
}

// serverStatus is how a server is, in JSON.
type serverStatus struct {
	Name      string            `json:"name"`
	Provider  registry.Provider `json:"provider"`
	Address   string            `json:"address"`
	Running   bool              `json:"running"`
	Version   string            `json:"version,omitempty"`
	Trouble   string            `json:"trouble,omitempty"`
	Chosen    bool              `json:"chosen"`
	Databases []databaseStatus  `json:"databases"`
}

// databaseStatus is how a database that sp made is, in JSON.
type databaseStatus struct {
	Name    string                 `json:"name"`
	Server  string                 `json:"server"`
	Tenant  registry.TenantID      `json:"tenant_id"`
	State   registry.DatabaseState `json:"state"`
	Orphan  bool                   `json:"tenant_is_gone"`
	Missing bool                   `json:"missing"`
	OldEnds *string                `json:"old_login_ends_at"`
}

func (a *app) dbStatus(ctx context.Context) error {
	var m *hosting.Machine
	var servers []registry.Server
	var databases []registry.Database
	found := []serverStatus{}
	err := a.read(ctx, func(dir project.Dir, view *registry.View) (err error) {
		m = a.machine(dir, nil)
		if servers, err = view.Servers(ctx); err != nil {
			return err
		}
		for _, s := range servers {
			found = append(found, serverStatus{Name: s.Name, Provider: s.Provider, Address: addressOf(s), Chosen: s.Chosen, Databases: []databaseStatus{}})
		}
		if databases, err = view.Databases(ctx); err != nil {
			return err
		}
		return putDatabases(ctx, view, databases, found)
	})
	if err != nil {
		return err
	}
	for i, s := range servers {
		found[i].put(m.Status(ctx, s, databases))
	}
	next, err := a.nextServer(ctx, servers)
	if err != nil {
		return err
	}
	if a.json {
		return a.document(map[string]any{"servers": found, "next": next})
	}
	rows := [][]string{}
	for _, s := range found {
		rows = append(rows, s.rows()...)
	}
	return a.table("Servers", rowsOf(append(rows, []string{"next", next})...))
}

// putDatabases puts the databases to their servers.
func putDatabases(ctx context.Context, view *registry.View, databases []registry.Database, servers []serverStatus) error {
	for _, d := range databases {
		gone, err := view.IsGone(ctx, d.Tenant)
		if err != nil {
			return err
		}
		for i := range servers {
			if servers[i].Name == d.Server {
				servers[i].Databases = append(servers[i].Databases, databaseStatusOf(d, gone))
			}
		}
	}
	return nil
}

func databaseStatusOf(d registry.Database, gone bool) databaseStatus {
	s := databaseStatus{Name: d.Name, Server: d.Server, Tenant: d.Tenant, State: d.State, Orphan: gone}
	if d.RetireAt != nil {
		at := registry.FormatTime(*d.RetireAt)
		s.OldEnds = &at
	}
	return s
}

// put puts down how a server is.
func (s *serverStatus) put(is hosting.Status) {
	s.Running, s.Version = is.Running, is.Version
	switch {
	case is.Trouble != nil:
		s.Trouble = failureOf(is.Trouble).Message
	case !is.Running:
		s.Trouble = "stopped"
	}
	for i, d := range s.Databases {
		s.Databases[i].Missing = slices.Contains(is.Missing, d.Tenant)
	}
}

// nextServer says where the database of a new tenant would be made.
func (a *app) nextServer(ctx context.Context, known []registry.Server) (string, error) {
	s, err := a.findServer(ctx, a.wantedByDefault(), known)
	if err == nil {
		if err = hosting.CheckWithheld(s); err != nil {
			err = fmt.Errorf("server %s: %w", s.Name, err)
		}
	}
	if err != nil {
		return "nowhere: " + failureOf(err).Message, nil
	}
	if s.Admin.Empty() {
		with, err := a.machine(project.Dir{}, nil).CanRun(ctx, s.Provider)
		return fmt.Sprintf("a new database would be made with %s", with), err
	}
	return fmt.Sprintf("a new database would be made on server %s", s.Name), nil
}

func (s serverStatus) rows() [][]string {
	state := "PostgreSQL " + s.Version
	if s.Trouble != "" {
		state = s.Trouble
	}
	marks := []string{s.Name, s.Address, state}
	if s.Chosen {
		marks = append(marks, "(chosen)")
	}
	rows := [][]string{marks}
	for _, d := range s.Databases {
		rows = append(rows, []string{"  " + d.Name, string(d.Tenant), strings.Join(d.notes(), "; ")})
	}
	return rows
}

// notes says how the database is.
func (d databaseStatus) notes() []string {
	notes := []string{string(d.State)}
	if d.Missing {
		notes = []string{"missing: it was recorded as " + string(d.State)}
	}
	if d.Orphan {
		notes = append(notes, "its tenant is gone: sp tenant delete "+project.Quoted(string(d.Tenant))+" -y drops it")
	}
	if d.OldEnds != nil {
		notes = append(notes, "the old login ends at "+*d.OldEnds)
	}
	return notes
}

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
	"github.com/sp-registry/sp/internal/workspace"
	"github.com/urfave/cli/v3"
)

func (a *app) statusCommand() *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "what is selected, what would be resolved, how the export stands",
		Flags: []cli.Flag{maxAgeFlag()},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return a.status(ctx, cmd.Duration("max-age"))
		},
	}
}

// status is what `sp status` tells, in JSON.
type status struct {
	Directory      string             `json:"directory"`
	Tenants        int                `json:"tenants"`
	Selected       *registry.TenantID `json:"selected_tenant"`
	Deleted        *registry.TenantID `json:"deleted_tenant,omitempty"`
	Session        *string            `json:"session_profile"`
	DefaultProfile *string            `json:"default_profile"`
	Resolved       *connection        `json:"resolved"`
	Unresolved     *failure           `json:"unresolved,omitempty"`
	SyncedAt       string             `json:"synced_at"`
	Stale          bool               `json:"stale"`
	Export         workspace.Standing `json:"export"`
	Files          smallFiles         `json:"files"`
	tokenMissing   bool
}

func (a *app) status(ctx context.Context, maxAge time.Duration) error {
	s, err := a.findStatus(ctx, maxAge)
	if errors.Is(err, db.ErrUntrusted) {
		return a.statusUntrusted(err)
	}
	if err != nil {
		return err
	}
	if s.tokenMissing {
		a.warnOfToken(s.Resolved.Tenant)
	}
	if a.json {
		return a.document(s)
	}
	return a.table("Status", rowsOf(s.rows()...))
}

// statusUntrusted is all that is told of a directory whose registry is not trusted.
func (a *app) statusUntrusted(err error) error {
	f := failureOf(err)
	if a.json {
		return a.document(map[string]any{"directory": filepath.Dir(a.registry), "untrusted": f})
	}
	return a.table("Status", rowsOf([]string{"directory", filepath.Dir(a.registry)}, []string{"trust", f.Message + " (" + f.Hint + ")"}))
}

func (a *app) findStatus(ctx context.Context, maxAge time.Duration) (s status, err error) {
	err = a.read(ctx, func(dir project.Dir, view *registry.View) error {
		s.Directory = dir.Path()
		if err := s.readSelection(ctx, view); err != nil {
			return err
		}
		state, err := view.State(ctx)
		if err != nil {
			return err
		}
		s.SyncedAt, s.Stale = registry.FormatTime(state.Document.SyncedAt), state.Document.IsStale(a.now(), maxAge)
		if s.Export, err = exportStanding(ctx, dir, view); err != nil {
			return err
		}
		if s.Files, err = findSmallFiles(ctx, dir, view); err != nil {
			return err
		}
		request := resolver.Request{Env: a.env("SYSTEMPROMPT_PROFILE"), ReadProfile: a.profileReader(dir)}
		return s.resolve(ctx, view, request)
	})
	return s, err
}

// resolve tells what a command would talk to, or why to nothing. An error means
// that reading failed.
func (s *status) resolve(ctx context.Context, view *registry.View, request resolver.Request) error {
	e, err := resolver.Explain(ctx, view, request)
	if err != nil {
		return err
	}
	if e.Err != nil {
		f := failureOf(adviseResolving(e.Err))
		s.Unresolved = &f
		return nil
	}
	shown := connectionOf(*e.Connection, pgurl.Describe(e.Connection.URL))
	s.Resolved, s.tokenMissing = &shown, e.Connection.Tenant.IsSyncTokenMissing()
	return nil
}

func (s *status) readSelection(ctx context.Context, view *registry.View) error {
	var err error
	if s.Tenants, err = view.Len(ctx); err != nil {
		return err
	}
	selection, err := view.Selection(ctx)
	if err != nil {
		return err
	}
	s.Selected, s.Deleted, s.DefaultProfile = selection.Tenant, selection.Deleted, selection.DefaultProfile
	session, err := view.ActiveSession(ctx)
	if session != nil {
		s.Session = &session.Profile
	}
	return err
}

func (s *status) rows() [][]string {
	selected := "none"
	switch {
	case s.Deleted != nil:
		selected = fmt.Sprintf("none; %s was deleted", *s.Deleted)
	case s.Selected != nil:
		selected = string(*s.Selected)
	}
	resolves := ""
	if s.Unresolved != nil {
		resolves = "nothing: " + s.Unresolved.Message
	} else {
		resolves = fmt.Sprintf("profile %s of tenant %s (%s), from the %s", *s.Resolved.Profile, s.Resolved.Tenant, s.Resolved.Name, s.Resolved.Source)
	}
	rows := [][]string{
		{"directory", s.Directory},
		{"tenants", fmt.Sprint(s.Tenants)},
		{"selected", selected},
		{"session", orNone(s.Session)},
		{"default", orNone(s.DefaultProfile)},
		{"resolves", resolves},
	}
	if s.Resolved != nil {
		rows = append(rows, []string{"database", s.Resolved.URL})
	}
	synced := s.SyncedAt
	if s.Stale {
		synced += " (stale)"
	}
	return append(rows, []string{"synced", synced}, []string{"export", describeStanding(s.Export)}, []string{"files", s.Files.describe()})
}

func orNone(text *string) string {
	if text == nil {
		return "none"
	}
	return *text
}

// What a standing becomes for people, where the exporter leaves it open.
const (
	unsafe     workspace.Standing = "unsafe"     // not a regular file
	unimported workspace.Standing = "unimported" // untracked, and a file is there
)

func exportStanding(ctx context.Context, dir project.Dir, view *registry.View) (workspace.Standing, error) {
	s, err := tracked(dir).Standing(ctx, view)
	if errors.Is(err, place.ErrUnsafe) {
		return unsafe, nil
	}
	if s == workspace.Untracked && hasExport(dir) {
		return unimported, err
	}
	return s, err
}

func describeStanding(s workspace.Standing) string {
	switch s {
	case workspace.Untracked:
		return "untracked: sp export starts to keep tenants.json"
	case unimported:
		return "not taken over: sp import merges the tenants.json that is there"
	case workspace.Missing:
		return "missing: sp export writes tenants.json again"
	case workspace.Behind:
		return "behind: sp export, or the next change, catches up"
	case unsafe:
		return "refused as unsafe: what is there is not a regular file; move it away"
	case workspace.Changed:
		return "changed by someone else: sp import, or the next change, merges it; sp export --force overwrites it"
	}
	return "current"
}

// warnOfToken is the warning of the playbook.
func (a *app) warnOfToken(id registry.TenantID) {
	a.note("warning: Sync token missing for cloud tenant %s", id)
}

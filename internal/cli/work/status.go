package work

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/doctor"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
	"github.com/sp-registry/sp/internal/workspace"
)

// Status is `sp status`.
func Status() *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "show what is selected and in effect, and if the files are current",
		Flags: []cli.Flag{task.MaxAge()},
		Run:   task.Run(status),
	}
}

// standing is what `sp status` tells, in JSON. Of a registry that is not trusted all is null but the
// directory, and why.
type standing struct {
	Directory  string           `json:"directory"`
	Tenants    *int             `json:"tenant_count"`
	Selected   *task.TenantRef  `json:"selected_tenant"`
	Deleted    *task.TenantRef  `json:"deleted_tenant"`
	Session    *task.ProfileRef `json:"session_profile"`
	Default    *task.ProfileRef `json:"default_profile"`
	Resolved   *connection      `json:"resolved"`
	Unresolved *cli.Failure     `json:"unresolved"`
	SyncedAt   *string          `json:"synced_at"`
	Stale      *bool            `json:"stale"`
	Export     *export          `json:"export"`
	Files      *doctor.Files    `json:"files"`
	Untrusted  *cli.Failure     `json:"untrusted"`

	onlyProfile  string // the one that counts as the default where none is set
	tokenMissing bool
	hasCloud     bool      // there is something to sync with
	synced       time.Time // when that was done
	ago          string    // how long ago that was
}

// export is how tenants.json stands.
type export struct {
	State   workspace.Standing `json:"state"`
	Message string             `json:"message"`
}

func status(ctx context.Context, t *task.Task) (cli.Answer, error) {
	s, err := findStatus(ctx, t)
	if errors.Is(err, db.ErrUntrusted) {
		return untrusted(t, err)
	}
	if err != nil {
		return cli.Answer{}, err
	}
	if s.tokenMissing {
		t.Note("warning: Sync token missing for cloud tenant %s", s.Resolved.Tenant.ID)
	}
	return cli.Answer{Value: s, Title: "Status", Rows: cli.Rows(s.rows(t.IsTerminal())...), Wrap: true}, nil
}

// untrusted is all that is told of a directory whose registry is not trusted.
func untrusted(t *task.Task, err error) (cli.Answer, error) {
	dir, lost := t.Located()
	if lost != nil {
		return cli.Answer{}, err
	}
	f := t.FailureOf(err)
	path := filepath.Dir(dir.Registry())
	return cli.Answer{
		Value: standing{Directory: path, Untrusted: &f},
		Title: "Status", Rows: cli.Rows([]string{"directory", path}, []string{"trust", f.Message + " (" + strings.ReplaceAll(*f.Hint, "\n", "; ") + ")"}), Wrap: true,
	}, nil
}

func findStatus(ctx context.Context, t *task.Task) (s standing, err error) {
	dir, err := t.Project()
	if err != nil {
		return s, err
	}
	w, err := t.Workspace(dir)
	if err != nil {
		return s, err
	}
	err = w.Read(ctx, func(view *registry.View) error {
		s.Directory = dir.Path()
		if err := s.readSelection(ctx, view); err != nil {
			return err
		}
		if err := s.readSync(ctx, t, view); err != nil {
			return err
		}
		if err := s.readFiles(ctx, t, w, view); err != nil {
			return err
		}
		return s.resolve(ctx, t, dir, view)
	})
	return s, err
}

func (s *standing) readSelection(ctx context.Context, view *registry.View) error {
	tenants, err := view.Len(ctx)
	if err != nil {
		return err
	}
	s.Tenants = &tenants
	selection, err := view.Selection(ctx)
	if err != nil {
		return err
	}
	if selection.Deleted != nil {
		s.Deleted = new(task.NamesIn(ctx, view)(*selection.Deleted))
	}
	if selection.DefaultProfile != nil {
		s.Default = &task.ProfileRef{Name: *selection.DefaultProfile}
	}
	if selection.Tenant != nil {
		selected, err := view.Tenant(ctx, *selection.Tenant)
		if err != nil {
			return err
		}
		s.Selected = refOf(&selected)
	}
	session, err := view.ActiveSession(ctx)
	if session != nil {
		s.Session = &task.ProfileRef{Name: session.Profile}
	}
	return err
}

// readSync tells when the registry was synchronised. That is called stale only where there is
// something to sync with.
func (s *standing) readSync(ctx context.Context, t *task.Task, view *registry.View) error {
	state, err := view.State(ctx)
	if err != nil {
		return err
	}
	at, stale := registry.FormatTime(state.Document.SyncedAt), state.Document.IsStale(t.Now(), t.Duration("max-age"))
	s.SyncedAt, s.Stale, s.synced = &at, &stale, state.Document.SyncedAt
	s.ago = cli.HowLong(t.Now().Sub(s.synced))
	s.hasCloud, err = view.HasCloud(ctx)
	return err
}

func (s *standing) readFiles(ctx context.Context, t *task.Task, w *workspace.Workspace, view *registry.View) error {
	state, wrong, err := w.Standing(ctx, view)
	if err != nil {
		return err
	}
	why := ""
	if wrong != nil {
		why = t.FailureOf(wrong).Message
	}
	s.Export = &export{state, doctor.StandingOf(state, why)}
	files, err := doctor.FilesOf(ctx, w.Dir, view)
	s.Files = &files
	return err
}

// resolve tells what a command would talk to, or why to nothing. An error means
// that reading failed.
func (s *standing) resolve(ctx context.Context, t *task.Task, dir project.Dir, view *registry.View) error {
	request := t.Request(dir)
	e, err := resolver.Explain(ctx, view, request)
	if err != nil {
		return err
	}
	for _, f := range e.Sources {
		if f.Source == resolver.FromDefault && f.Holds == nil && f.Profile != nil {
			s.onlyProfile = f.Profile.Name
		}
	}
	if e.Err != nil {
		s.Unresolved = unresolved(t, task.AdviseMissing(ctx, view, t.Now(), task.AdviseResolving(e.Err)))
		return nil
	}
	shown := connectionOf(*e.Connection, pgurl.Describe(e.Connection.URL))
	s.Resolved, s.tokenMissing = &shown, e.Connection.Tenant.IsSyncTokenMissing()
	return nil
}

// rows has a row for each thing; people are told how long ago things were.
func (s *standing) rows(people bool) [][]string {
	selected := "none"
	switch {
	case s.Deleted != nil:
		selected = fmt.Sprintf("none; %s was deleted", s.Deleted.ID)
	case s.Selected != nil && people:
		selected = fmt.Sprintf("%s (%s)", s.Selected.Called(), s.Selected.ID)
	case s.Selected != nil:
		selected = string(s.Selected.ID)
	}
	rows := [][]string{
		{"directory", s.Directory},
		{"tenants", fmt.Sprint(*s.Tenants)},
		{"selected", selected},
		{"session", nameOr(s.Session)},
		{"default", s.byDefault(people)},
	}
	if s.Resolved == nil {
		rows = append(rows, []string{"resolves", "nothing: " + s.Unresolved.Message})
	} else {
		c := s.Resolved
		rows = append(rows,
			[]string{"resolves", fmt.Sprintf("profile %s of tenant %s (%s), from the %s", c.Profile.Name, c.Tenant.ID, c.Tenant.Called(), c.Source)},
			[]string{"database", c.URL})
	}
	return append(rows, []string{"synced", s.sync(people)}, []string{"export", s.Export.Message}, []string{"files", s.Files.String()})
}

func (s *standing) sync(people bool) string {
	stale := s.hasCloud && *s.Stale
	switch text := *s.SyncedAt; {
	case people && !s.hasCloud:
		return "there is no cloud tenant"
	case people && stale:
		return fmt.Sprintf("%s, %s ago: the cloud tenants may be out of date; %s, when you are logged in, or %s of a newer tenants.json",
			task.Clock(s.synced), s.ago, cli.To("sp tenant list"), cli.To("sp import", "PATH"))
	case people:
		return task.Clock(s.synced)
	case stale:
		return text + " (stale)"
	default:
		return text
	}
}

func (s *standing) byDefault(people bool) string {
	switch {
	case !people || s.onlyProfile == "":
		return nameOr(s.Default)
	case s.Selected != nil:
		return fmt.Sprintf("none; %s is the only profile of %s", s.onlyProfile, s.Selected.Called())
	}
	return fmt.Sprintf("none; %s is the only profile", s.onlyProfile)
}

func nameOr(p *task.ProfileRef) string {
	if p == nil {
		return "none"
	}
	return p.Name
}

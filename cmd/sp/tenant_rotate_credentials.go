package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

// defaultGrace is how long the old credentials work beside the new ones.
const defaultGrace = 10 * time.Minute

func (a *app) tenantRotateCredentialsCommand() *cli.Command {
	return &cli.Command{
		Name:      "rotate-credentials",
		Usage:     "give a local tenant's database another login",
		ArgsUsage: "[ID]",
		Description: "The selected tenant without ID. The new login is tried before anybody gets it; tenants.json and\n" +
			"secrets.json follow. The old one is refused after --grace, and its open sessions end with the next\n" +
			"command on that server; with --now both end at once. A database that sp has not made has one\n" +
			"role: that gets another password, at once.",
		Flags: []cli.Flag{
			yesFlag(),
			&cli.DurationFlag{Name: "grace", Usage: "how long the old login still works", Value: defaultGrace, OnlyOnce: true},
			boolFlag("now", "end the old login at once"),
			a.noExportFlag(),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if cmd.Bool("now") && cmd.IsSet("grace") {
				return usage("--now and --grace")
			}
			return a.inSteps(ctx, a.tenants, func(ctx context.Context, m *hosting.Machine) error {
				return a.rotateCredentials(ctx, cmd, m)
			})
		},
	}
}

// rotated is what a rotation did, in JSON.
type rotated struct {
	ID registry.TenantID `json:"id"`
	// OldEnds is when the old login ends; nil where it has ended.
	OldEnds *string `json:"old_login_ends_at"`
	// Unchecked tells that the server lets everybody in, whatever the password.
	Unchecked bool `json:"passwords_unchecked"`
	// Also are the tenants that log in as the same role, and have its new password too.
	Also []registry.TenantID `json:"also,omitempty"`
}

func (a *app) rotateCredentials(ctx context.Context, cmd *cli.Command, m *hosting.Machine) error {
	s, _, err := a.subject(ctx, argument(cmd, 0))
	if err != nil {
		return err
	}
	var done hosting.Rotated
	switch t := s.Tenant; {
	case t.IsCloud():
		return fmt.Errorf("%s: tenant %s: %w: %s", commandWords(cmd), t, errUnsupported, needsCloud)
	case s.Database != nil && s.Database.State != registry.Ready:
		return withHint(fmt.Errorf("tenant %s: Provisioning failed: its database is not finished: %w", t, registry.ErrConflict), "sp tenant provision %s", project.Quoted(string(t.ID)))
	case !t.HasDatabaseURL():
		return withHint(fmt.Errorf("tenant %s: %w", t, registry.ErrNoURL), "sp tenant provision %s", project.Quoted(string(t.ID)))
	case s.Database == nil:
		done, err = a.rotateAdopted(ctx, cmd, m, t)
	default:
		done, err = a.rotateMade(ctx, cmd, m, s)
	}
	a.tellRotated(s.Tenant, done)
	if !done.Published {
		return err
	}
	if err != nil && isIncomplete(err) {
		err = withHint(err, "the new credentials are published; sp tenant check %s tries them", project.Quoted(string(s.Tenant.ID)))
	}
	if a.json && made(err) {
		err = cmp.Or(err, a.document(rotatedOf(s.Tenant, done)))
	}
	return err
}

func rotatedOf(t registry.Tenant, done hosting.Rotated) rotated {
	r := rotated{ID: t.ID, Unchecked: done.Unchecked, Also: done.Also}
	if done.OldEnd != nil {
		ends := registry.FormatTime(*done.OldEnd)
		r.OldEnds = &ends
	}
	return r
}

// tellRotated says what a rotation did, and what became of the old credentials.
func (a *app) tellRotated(t registry.Tenant, done hosting.Rotated) {
	a.tell(done.Warnings, "has the login that ends in its URL")
	if !done.Published {
		return
	}
	a.note("tenant %s has new credentials", t)
	for _, id := range done.Also {
		a.note("tenant %s, which logs in as the same role, has them too", id)
	}
	switch {
	case done.OldEnd != nil:
		a.note("the old ones end at %s", registry.FormatTime(*done.OldEnd))
	case done.Refused && done.Behind:
		a.note("the pooler refuses the old ones")
	case done.Behind:
		a.note("warning: the pooler still lets the old password in; the server has taken it away")
	case done.Refused:
		a.note("the old ones are refused (28P01)")
	}
	if done.Unchecked {
		a.note("warning: this server checks no passwords: the old one opens it as well as any (pg_hba.conf)")
	}
}

// rotateMade rotates the login of a database that sp made.
func (a *app) rotateMade(ctx context.Context, cmd *cli.Command, m *hosting.Machine, s hosting.Subject) (done hosting.Rotated, err error) {
	t := s.Tenant
	if err := a.confirm(ctx, cmd, fmt.Sprintf("end the database login of tenant %s at %s?", t, pgurl.Describe(*t.DatabaseURL))); err != nil {
		return done, err
	}
	if s.Server == nil {
		return done, fmt.Errorf("server %s: %w", s.Database.Server, registry.ErrNotFound)
	}
	grace := cmd.Duration("grace")
	if cmd.Bool("now") {
		grace = 0
	}
	done, err = m.Rotate(ctx, s, a.wantedByDefault(), grace)
	switch id := project.Quoted(string(t.ID)); {
	case done.Published:
	case errors.Is(err, hosting.ErrDrifted):
		err = withHint(err, "sp log %s tells who changed it", id)
	case errors.Is(err, provision.ErrMismatch):
		err = withHint(err, "sp tenant provision %s makes again what is missing", id)
	}
	return done, err
}

// rotateAdopted gives the role of a database that sp has not made another password.
func (a *app) rotateAdopted(ctx context.Context, cmd *cli.Command, m *hosting.Machine, t registry.Tenant) (done hosting.Rotated, err error) {
	id := project.Quoted(string(t.ID))
	role, err := m.LookAtAdopted(ctx, t)
	if errors.Is(err, hosting.ErrSharedAdmin) {
		err = withHint(err, "give the tenant a role of its own: sp tenant edit %s --database-url-stdin", id)
	}
	if err == nil {
		err = a.confirmAdopted(ctx, cmd, role)
	}
	if err != nil {
		return done, err
	}
	done, err = m.RotateAdopted(ctx, role)
	switch {
	case done.Published:
	case errors.Is(err, hosting.ErrUnsettled):
		err = withHint(err, "both passwords stay recorded: sp tenant rotate-credentials %s -y goes on, and finds out which one holds", id)
	case errors.Is(err, hosting.ErrBothRefused):
		err = withHint(err, "when the server answers again: sp tenant rotate-credentials %s -y", id)
	case errors.Is(err, hosting.ErrSetBack) && role.Pooled:
		err = withHint(err, "let the pooler look passwords up at the server (auth_query), or rotate at the server's own address: sp tenant edit %s --database-url-stdin", id)
	}
	return done, adviseLogin(err)
}

func (a *app) confirmAdopted(ctx context.Context, cmd *cli.Command, role hosting.Adopted) error {
	const behindPooler = "a connection pooler stands before its server: it may refuse the new password, and then the old one is set back"
	question := fmt.Sprintf("change the password of the role that tenants %s log in as at %s? others who use it are shut out",
		joined(role.Tenants), pgurl.Describe(*role.Tenant.OwnURL()))
	if !role.Pooled {
		return a.confirm(ctx, cmd, question)
	}
	if cmd.Bool("yes") {
		a.note("tenant %s: %s", role.Tenant, behindPooler)
	}
	return a.confirm(ctx, cmd, question+"; "+behindPooler)
}

// afterwards is what it means that something failed behind a change.
func afterwards(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", registry.ErrIncomplete, err)
}

func joined(ids []registry.TenantID) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = string(id)
	}
	return strings.Join(texts, ", ")
}

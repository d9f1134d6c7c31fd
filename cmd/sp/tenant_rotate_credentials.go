package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
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
			dir, err := a.project()
			if err != nil {
				return err
			}
			return a.steps(ctx, func(ctx context.Context, reg *registry.Registry) error {
				return a.rotateCredentials(ctx, cmd, dir, reg)
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

	published bool
}

func (a *app) rotateCredentials(ctx context.Context, cmd *cli.Command, dir project.Dir, reg *registry.Registry) error {
	p, err := lookAt(ctx, reg, argument(cmd, 0))
	if err != nil {
		return err
	}
	t, done := p.tenant, rotated{ID: p.tenant.ID}
	switch {
	case t.IsCloud():
		return fmt.Errorf("%s: tenant %s: %w: %s", commandWords(cmd), t, errUnsupported, needsCloud)
	case p.database != nil && p.database.State != registry.Ready:
		return withHint(fmt.Errorf("tenant %s: Provisioning failed: its database is not finished: %w", t, registry.ErrConflict), "sp tenant provision %s", project.Quoted(string(t.ID)))
	case !t.HasDatabaseURL():
		return withHint(fmt.Errorf("tenant %s: %w", t, registry.ErrNoURL), "sp tenant provision %s", project.Quoted(string(t.ID)))
	case p.database == nil:
		err = a.rotateAdopted(ctx, cmd, reg, t, &done)
	default:
		err = a.rotateProvisioned(ctx, cmd, dir, reg, p, &done)
	}
	if !done.published {
		return err
	}
	if err != nil && isIncomplete(err) {
		err = withHint(err, "the new credentials are published; sp tenant check %s tries them", project.Quoted(string(t.ID)))
	}
	if !made(err) {
		return err
	}
	if done.Unchecked {
		a.note("warning: this server checks no passwords: the old one opens it as well as any (pg_hba.conf)")
	}
	if a.json {
		err = cmp.Or(err, a.document(done))
	}
	return err
}

// rotateProvisioned flips to the idle one of the two logins. What is published works, as
// it has just been tried; what was published before works until then.
func (a *app) rotateProvisioned(ctx context.Context, cmd *cli.Command, dir project.Dir, reg *registry.Registry, p prospect, done *rotated) error {
	if err := a.confirm(ctx, cmd, fmt.Sprintf("end the database login of tenant %s at %s?", p.tenant, registry.DescribeURL(*orEmpty(p.tenant.DatabaseURL)))); err != nil {
		return err
	}
	s, err := p.server()
	if err != nil {
		return err
	}
	h, err := a.bringUp(ctx, dir, reg, a.wantedByDefault().instead(s))
	if err != nil {
		return err
	}
	defer h.close()
	ctx, cancel := context.WithTimeout(ctx, workWithin)
	defer cancel()
	d, err := lockDatabase(ctx, reg, h, p.tenant.ID)
	if err != nil {
		return err
	}
	if p, err = lookAt(ctx, reg, (*string)(&p.tenant.ID)); err != nil {
		return err
	}
	before, after := *orEmpty(p.tenant.DatabaseURL), d.Login.Other()
	if own, err := registry.URLFor(h.Admin, d.Name, d.Name, secret.Secret{}); err != nil || !leadsTo(before, own) {
		return withHint(errors.Join(err, fmt.Errorf("tenant %s: its URL does not lead to database %s, which was made for it: %w", p.tenant, d.Name, registry.ErrConflict)),
			"sp log %s tells who changed it", project.Quoted(string(p.tenant.ID)))
	}
	url, err := h.admin.Enable(ctx, h.database(*d), after, a.random)
	if errors.Is(err, provision.ErrMismatch) {
		err = withHint(err, "sp tenant provision %s makes again what is missing", project.Quoted(string(d.Tenant)))
	}
	if err != nil {
		return err
	}
	grace := cmd.Duration("grace")
	if cmd.Bool("now") {
		grace = 0
	}
	at := a.now().Add(grace)
	a.tellSharers(ctx, reg, d.Tenant, registry.SameLogin, "has the login that ends in its URL")
	_, published := reg.PublishCredentials(ctx, registry.Credentials{Tenant: d.Tenant, URL: url, Was: d.Login, Login: after, RetireAt: &at})
	if !made(published) {
		return published
	}
	done.published = true
	a.note("tenant %s has new credentials", p.tenant)
	return errors.Join(published, a.endOld(ctx, reg, h, *d, before, url, grace, done))
}

// endOld ends the login that was published before, and looks whether it has: a server may
// let everybody in.
func (a *app) endOld(ctx context.Context, reg *registry.Registry, h *host, d registry.Database, before, after secret.Secret, grace time.Duration, done *rotated) error {
	old := d.Login
	if grace > 0 {
		at, err := h.admin.Expire(ctx, h.database(d), old, grace)
		if err == nil {
			ends := registry.FormatTime(at)
			done.OldEnds = &ends
			a.note("the old ones end at %s", ends)
			err = a.checkPasswords(ctx, after, done)
		}
		return afterwards(errors.Join(err, a.retireDue(ctx, reg, h)))
	}
	if err := errors.Join(a.endLogin(ctx, reg, h, d, old), a.retireDue(ctx, reg, h)); err != nil {
		return afterwards(err)
	}
	return a.checkRefused(ctx, before, h.admin.Pooled, done)
}

// checkRefused looks whether the old credentials are refused, with 28P01 and nothing else. A
// pooler does so by itself, or not yet.
func (a *app) checkRefused(ctx context.Context, before secret.Secret, pooled bool, done *rotated) error {
	refused, err := provision.Refuses(ctx, before)
	switch {
	case err != nil:
		return afterwards(err)
	case pooled && refused:
		a.note("the pooler refuses the old ones")
	case pooled:
		a.note("warning: the pooler still lets the old password in; the server has taken it away")
	case refused:
		a.note("the old ones are refused (28P01)")
	default:
		done.Unchecked = true
	}
	return nil
}

// afterwards is what it means that something failed behind a change.
func afterwards(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", registry.ErrIncomplete, err)
}

func (a *app) checkPasswords(ctx context.Context, url secret.Secret, done *rotated) error {
	err := provision.ChecksPasswords(ctx, url, a.random)
	done.Unchecked = errors.Is(err, provision.ErrUnchecked)
	if done.Unchecked {
		return nil
	}
	return err
}

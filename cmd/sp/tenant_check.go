package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

// errUnreached is what tenant check ends with when a database does not answer as it
// should. Its table is the answer and stands on stdout.
var errUnreached = errors.New("not every database answers as it should")

func (a *app) tenantCheckCommand() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "log in to a tenant's database, and say what helps where that fails",
		ArgsUsage: "[ID]",
		Description: "The selected tenant without ID. Columns: id, ok or what is wrong, how long it took, the\n" +
			"server's version, whether the connection is encrypted.",
		Flags: []cli.Flag{boolFlag("all", "every tenant")},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if cmd.Bool("all") && cmd.Args().Len() > 0 {
				return usage("tenant check: --all and an ID")
			}
			return a.untilTold(ctx, func(ctx context.Context) error { return a.checkTenants(ctx, cmd.Bool("all"), argument(cmd, 0)) })
		},
	}
}

// checked is how a tenant's database answers, in JSON.
type checked struct {
	ID registry.TenantID `json:"id"`
	// Result is ok, or the code of what is wrong.
	Result  string `json:"result"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Latency *int64 `json:"latency_ms"`
	Version string `json:"server_version,omitempty"`
	TLS     bool   `json:"tls"`

	token bool // it is a cloud tenant that misses its token
}

func (c checked) row() []string {
	if c.Result != "ok" {
		return []string{string(c.ID), c.Message}
	}
	tls := "TLS"
	if !c.TLS {
		tls = "no TLS"
	}
	return []string{string(c.ID), c.Result, fmt.Sprintf("%d ms", *c.Latency), "PostgreSQL " + c.Version, tls}
}

func (a *app) checkTenants(ctx context.Context, all bool, ref *string) error {
	subjects, err := a.subjects(ctx, all, ref)
	if err != nil {
		return err
	}
	results := a.checkAll(ctx, subjects)
	var wrong []string
	rows := make([][]string, len(results))
	for i, c := range results {
		rows[i] = c.row()
		if c.token {
			a.warnOfToken(c.ID)
			a.note("hint: sp tenant rotate-sync-token %s, or sp tenant edit %s --sync-token-stdin", c.ID, c.ID)
		}
		if c.Result != "ok" {
			wrong = append(wrong, string(c.ID))
			for line := range strings.SplitSeq(c.Hint, "\n") {
				if line != "" {
					a.note("hint: %s: %s", c.ID, line)
				}
			}
		}
	}
	if a.json {
		err = a.document(map[string]any{"tenants": results})
	} else {
		err = a.table("Databases", rowsOf(rows...))
	}
	if err == nil && len(wrong) > 0 {
		err = fmt.Errorf("%w: %s", errUnreached, strings.Join(wrong, ", "))
	}
	return err
}

// subject is a tenant whose database is to be checked.
type subject struct {
	tenant   registry.Tenant
	database *registry.Database
	server   *registry.Server
}

// subjects reads all that the checks need; the registry is let go of by then.
func (a *app) subjects(ctx context.Context, all bool, ref *string) (subjects []subject, err error) {
	err = a.read(ctx, func(_ project.Dir, view *registry.View) error {
		look := func(t registry.Tenant) error {
			s := subject{tenant: t}
			if s.database, err = view.Database(ctx, t.ID); err == nil && s.database != nil {
				s.server, err = view.Server(ctx, s.database.Server)
			}
			subjects = append(subjects, s)
			return err
		}
		if !all {
			t, err := namedTenant(ctx, view, ref)
			if err != nil {
				return err
			}
			return look(t)
		}
		for t, err := range view.Tenants(ctx, registry.Page{}) {
			if err != nil {
				return err
			}
			if err := look(t); err != nil {
				return err
			}
		}
		return nil
	})
	return subjects, err
}

// atOnce is how many databases are asked at the same time.
const atOnce = 8

func (a *app) checkAll(ctx context.Context, subjects []subject) []checked {
	results := make([]checked, len(subjects))
	var wait sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i, s := range subjects {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			results[i] = a.checkTenant(ctx, s)
		})
	}
	wait.Wait()
	return results
}

func (a *app) checkTenant(ctx context.Context, s subject) checked {
	c := checked{ID: s.tenant.ID, Result: "ok", token: s.tenant.IsSyncTokenMissing()}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	began := a.now()
	standing, err := provision.Standing{}, a.mayConnect()
	if err == nil {
		standing, err = s.ask(ctx)
	}
	if err == nil {
		ms := a.now().Sub(began).Milliseconds()
		c.Latency, c.Version, c.TLS, c.Message = &ms, standing.Version, standing.TLS, "connected"
		return c
	}
	f := failureOf(a.adviseConnecting(s, err))
	c.Result, c.Message, c.Hint = f.Code, f.Message, f.Hint
	return c
}

// url is the URL under which a tenant's database can be reached from here.
func (s subject) url() *registry.Secret {
	t := s.tenant
	if t.IsCloud() && t.ExternalDBAccess && t.DatabaseURL != nil {
		return t.DatabaseURL
	}
	return t.OwnURL()
}

// ask logs in to a tenant's database, and looks whether it is the one that was made for it.
func (s subject) ask(ctx context.Context) (provision.Standing, error) {
	url := s.url()
	if url == nil || url.Empty() || registry.IsMasked(*url) {
		return provision.Standing{}, registry.ErrNoURL
	}
	standing, err := provision.Check(ctx, *url)
	if err == nil && standing.Tenant != "" && standing.Tenant != s.tenant.ID {
		err = fmt.Errorf("it was made for tenant %s: %w", standing.Tenant, provision.ErrMismatch)
	}
	return standing, err
}

// The words of the documents' troubleshooting tables.
const (
	connectionFailed   = "Database connection failed"
	accessDenied       = "Access denied"
	provisioningFailed = "Provisioning failed"
)

// adviseConnecting says which row of the documents' tables a failure is, and what helps.
func (a *app) adviseConnecting(s subject, err error) error {
	id := project.Quoted(string(s.tenant.ID))
	named := func(what string) error { return fmt.Errorf("tenant %s: %s: %w", s.tenant, what, err) }
	switch {
	case s.database != nil && s.database.State == registry.Dropping:
		return withHint(named(provisioningFailed+": its database is being dropped"), "sp tenant delete %s -y goes on with that", id)
	case s.database != nil && (s.database.State != registry.Ready || errors.Is(err, registry.ErrNoURL)):
		return withHint(named(provisioningFailed), "sp tenant provision %s goes on, sp tenant delete %s -y undoes it", id, id)
	case errors.Is(err, registry.ErrNoURL) && s.tenant.IsCloud():
		return withHint(named(connectionFailed+": internal_database_url is missing or masked"), "sp tenant edit %s --internal-database-url-stdin", id)
	case errors.Is(err, registry.ErrNoURL) && s.tenant.IsDatabaseURLMasked():
		return withHint(named(accessDenied+": its URL has stars in place of the password"), "sp tenant edit %s --database-url-stdin", id)
	case errors.Is(err, registry.ErrNoURL):
		return withHint(named(connectionFailed), "sp tenant provision %s makes a database, sp tenant edit %s --database-url-stdin names one", id, id)
	case errors.Is(err, provision.ErrDenied):
		return withHint(named(accessDenied), "sp tenant rotate-credentials %s, or sp tenant edit %s --database-url-stdin", id, id)
	case errors.Is(err, provision.ErrMismatch):
		return withHint(named(connectionFailed), "see where its URL leads: sp tenant show %s", id)
	case s.server != nil && s.server.IsOwn():
		return withHint(named(connectionFailed), "sp db up starts PostgreSQL")
	case s.tenant.IsLocal():
		return withHint(named(connectionFailed), "see that its PostgreSQL runs, and that the address is right: sp tenant show %s", id)
	}
	return withHint(named(connectionFailed), "see that you are where its address is known: sp tenant show %s", id)
}

// adoptWithin bounds how long a database that is adopted is tried.
const adoptWithin = 3 * time.Second

// checkAdopted logs in to a database that is about to be adopted. One that refuses is
// refused; where nobody answers it may be that nobody does yet.
func (a *app) checkAdopted(ctx context.Context, url registry.Secret) error {
	if a.mayConnect() != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, adoptWithin)
	defer cancel()
	a.step("trying its database")
	_, err := provision.Check(ctx, url)
	switch {
	case errors.Is(err, provision.ErrDenied):
		return withHint(fmt.Errorf("tenant create: %s: %w", accessDenied, err), "nothing was stored; --no-check stores it all the same")
	case errors.Is(err, provision.ErrMismatch):
		return withHint(fmt.Errorf("tenant create: %s: %w", connectionFailed, err), "nothing was stored; --no-check stores it all the same")
	case err != nil && context.Cause(ctx) != nil && !errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return err
	case err != nil:
		a.note("warning: %s: %v; sp tenant check tries again", connectionFailed, err)
	}
	return nil
}

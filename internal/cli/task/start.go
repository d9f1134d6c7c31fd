package task

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

const noStartFlag = "no-start"

// NoStart returns the flag --no-start of the commands that start a server of sp's.
func NoStart() cli.Flag {
	return cli.Bool(noStartFlag, "leave sp's own server stopped if it does not run")
}

// ReachOwn checks the server of this project that a URL leads to, if sp runs it, and starts it if it is
// stopped.
func (t *Task) ReachOwn(ctx context.Context, url secret.Secret) (*postgres.Look, error) {
	look, err := t.AwaitOwn(ctx, url)
	started, err := t.StartStopped(ctx, err)
	if started && err == nil {
		return t.LookAtOwn(ctx, url)
	}
	return look, err
}

// AwaitOwn looks as LookAtOwn does, and waits while the server starts, recovers or stops. If it takes nobody after that,
// it is an error.
func (t *Task) AwaitOwn(ctx context.Context, url secret.Secret) (*postgres.Look, error) {
	return t.lookAt(ctx, url, (*hosting.Machine).Await)
}

// StartStopped starts the server of sp's that keeps somebody from logging in because it is stopped, and says
// so, unless --no-start was given. Any other error is returned as it is.
func (t *Task) StartStopped(ctx context.Context, why error) (started bool, err error) {
	var stopped *hosting.ServerError
	if !errors.Is(why, hosting.ErrStopped) || !errors.As(why, &stopped) || t.Bool(noStartFlag) {
		return false, why
	}
	s := stopped.Server
	err = t.UntilTold(ctx, func(ctx context.Context) error {
		dir, err := t.Project()
		if err != nil {
			return err
		}
		return t.Machine(dir, t.Others).Start(ctx, s)
	})
	t.TellDone()
	if err != nil {
		return false, fmt.Errorf("server %s does not run, and can't be started: %w", s.Name, err)
	}
	t.Note("server %s was stopped; it runs again", s.Name)
	return true, nil
}

// proofWithin is how long a server may take to prove itself.
const proofWithin = 5 * time.Second

// ProveOwn logs in to a server that sp runs and that can't be seen from here: by SCRAM it proves itself. What
// is started next may be a client that does not demand that.
func ProveOwn(ctx context.Context, tenant registry.Tenant, url secret.Secret) error {
	within, cancel := context.WithTimeout(ctx, proofWithin)
	defer cancel()
	if _, err := provision.Check(within, url); err != nil {
		return AdviseLogin(&hosting.LoginError{Subject: hosting.Subject{Tenant: tenant}, Err: err})
	}
	return nil
}

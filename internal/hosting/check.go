package hosting

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// Checked says how a tenant's database answered.
type Checked struct {
	Subject
	Answer provision.Answer
	Took   time.Duration
	Err    error // what is wrong, a LoginError
}

// LoginError says why a login to a subject's database failed.
type LoginError struct {
	Subject Subject
	Err     error
}

func (e *LoginError) Error() string { return e.Err.Error() }

// Unwrap returns why.
func (e *LoginError) Unwrap() error { return e.Err }

// atOnce is how many databases or servers are asked at the same time.
const atOnce = 8

// Check logs in to the databases of tenants.
func (m *Machine) Check(ctx context.Context, subjects ...Subject) []Checked {
	results := make([]Checked, len(subjects))
	askEach(len(subjects), func(i int) { results[i] = m.check(ctx, subjects[i]) })
	return results
}

// askEach calls ask for each of n databases or servers, some at the same time, and returns when all are done.
func askEach(n int, ask func(i int)) {
	var wait sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i := range n {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			ask(i)
		})
	}
	wait.Wait()
}

func (m *Machine) check(ctx context.Context, s Subject) Checked {
	c := Checked{Subject: s}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	began := m.Now()
	err := s.mustHaveURL()
	if err == nil {
		err = m.Offline
	}
	if err == nil {
		c.Answer, err = s.ask(ctx, s.Database == nil && s.Tenant.IsLocal())
	}
	if c.Took = m.Now().Sub(began); err != nil {
		c.Err = &LoginError{s, err}
	}
	return c
}

// mustLogIn refuses what has to do with a database to which nobody can log in.
func (m *Machine) mustLogIn(ctx context.Context, t registry.Tenant) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	s := Subject{Tenant: t}
	if _, err := s.ask(ctx, false); err != nil {
		return &LoginError{s, err}
	}
	return nil
}

// adoptWithin bounds how long a database that is adopted is tried.
const adoptWithin = 3 * time.Second

// CheckAdopted logs in to a database that a tenant is about to adopt, and returns for which tenant sp made it, "" if it
// did not.
func (m *Machine) CheckAdopted(ctx context.Context, url secret.Secret) (tenant string, err error) {
	ctx, cancel := context.WithTimeout(ctx, adoptWithin)
	defer cancel()
	m.Progress("trying its database")
	answer, err := provision.Check(ctx, url)
	return answer.Tenant, err
}

// url is the URL under which a tenant's database can be reached from here.
func (s Subject) url() *secret.Secret {
	t := s.Tenant
	if t.IsCloud() && t.ExternalDBAccess && t.DatabaseURL != nil {
		return t.DatabaseURL
	}
	return t.OwnURL()
}

// mustHaveURL refuses a tenant that has none that could be used.
func (s Subject) mustHaveURL() error {
	if url := s.url(); url == nil || url.Empty() || pgurl.IsMasked(*url) || pgurl.LeadsNowhere(*url) {
		return registry.ErrNoURL
	}
	return nil
}

// ask logs in to a tenant's database, and looks whether it is the one that was made for it; one that it adopted may be
// shared with whom that was made for.
func (s Subject) ask(ctx context.Context, shared bool) (provision.Answer, error) {
	if err := s.mustHaveURL(); err != nil {
		return provision.Answer{}, err
	}
	answer, err := provision.Check(ctx, *s.url())
	if err == nil && !shared && answer.Tenant != "" && answer.Tenant != string(s.Tenant.ID) {
		err = fmt.Errorf("it was made for tenant %s: %w", answer.Tenant, provision.ErrMismatch)
	}
	if err != nil && s.Next != nil {
		if _, refused := provision.Check(ctx, *s.Next); refused == nil {
			err = fmt.Errorf("%w: %w", ErrNextHolds, err)
		}
	}
	return answer, err
}

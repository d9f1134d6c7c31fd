package hosting

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// deed is something that hosting does for a tenant, in so many steps.
type deed struct {
	name  string
	steps int
	begin func(*site) // makes what the deed is done to
	do    func(*site) error
	again func(*site) error // goes on with it; nil is do
	// always holds wherever the deed is stopped, and done when it has been gone on with.
	always, done func(*site)
	end          func(*site) // takes away what is on the server; nil deletes the tenant
}

const id = registry.TenantID("t")

func deeds() []deed {
	begin := func(s *site) {
		s.mustCreate(id)
		s.before = s.url(id)
	}
	opens := func(s *site) { s.requireOpens(s.url(id)) }
	rotate := func(grace time.Duration) func(*site) error {
		return func(s *site) error {
			done, err := s.Rotate(s.ctx(), s.known(id), Wanted{}, grace)
			require.Equal(s.t, done.Published && grace > 0, done.OldEnd != nil)
			return err
		}
	}
	drop := func(s *site) error {
		_, err := s.Drop(s.ctx(), *s.known(id).Database, Wanted{})
		return err
	}
	resume := func(s *site) error {
		_, err := s.Resume(s.ctx(), s.known(id), s.server(), Extras{})
		return err
	}
	equip := func(s *site) error { // its extras are there before it is published
		_, err := s.Resume(s.ctx(), s.known(id), s.server(), Extras{Extensions: []string{"citext"}, Databases: true})
		if made(err) {
			hit, err := s.HitBy(s.ctx(), *s.known(id).Database, Wanted{})
			require.NoError(s.t, err)
			require.Len(s.t, hit.Extras, 2)
		}
		return err
	}
	isReady := func(s *site) {
		require.Equal(s.t, registry.Ready, s.known(id).Database.State)
		opens(s)
	}
	return []deed{
		{
			name: "create", steps: 2, begin: func(*site) {}, always: func(*site) {}, done: isReady,
			do: func(s *site) error {
				_, err := s.Create(s.ctx(), newTenant(id), s.server(), Extras{})
				return err
			},
			again: func(s *site) error {
				if _, err := s.subject(s.ctx(), id); err == nil {
					return resume(s)
				}
				s.mustCreate(id)
				return nil
			},
		},
		{
			name: "resume", steps: 2, always: func(*site) {}, done: isReady, do: equip,
			begin: func(s *site) {
				_, err := s.reg.CreateTenant(s.ctx(), newTenant(id))
				require.NoError(s.t, err)
			},
		},
		{
			name: "rotate", steps: 1, begin: begin, do: rotate(time.Hour), always: opens,
			done: func(s *site) { opens(s); require.False(s.t, s.before.Equal(s.url(id))) },
		},
		{
			name: "rotate at once", steps: 2, begin: begin, do: rotate(0), always: opens,
			done: func(s *site) { opens(s); s.requireRefused(s.before) },
		},
		{
			name: "retire", steps: 2, do: resume, always: opens,
			begin: func(s *site) {
				begin(s)
				require.NoError(s.t, rotate(time.Hour)(s))
				s.requireOpens(s.before)
				s.now = s.now.Add(time.Hour)
			},
			done: func(s *site) {
				opens(s)
				s.requireRefused(s.before)
				require.Nil(s.t, s.known(id).Database.RetireAt)
			},
		},
		{
			name: "drop", steps: 1, begin: begin, do: drop, always: func(*site) {},
			done: func(s *site) {
				require.Equal(s.t, registry.Dropping, s.known(id).Database.State)
				_, err := s.Resume(s.ctx(), s.known(id), s.server(), Extras{})
				require.ErrorIs(s.t, err, registry.ErrConflict, "nobody publishes a login to it")
				_, err = s.Keep(s.ctx(), s.known(id), s.server())
				require.ErrorIs(s.t, err, ErrPartlyGone)
			},
		},
		{
			name: "keep", steps: 1, always: func(*site) {}, done: isReady,
			begin: func(s *site) {
				begin(s)
				require.NoError(s.t, s.reg.DropDatabase(s.ctx(), id))
				pgtest.Exec(s.t, s.before, "CREATE TABLE kept (n int)")
			},
			do: func(s *site) error {
				_, err := s.Keep(s.ctx(), s.known(id), s.server())
				return err
			},
			end: func(s *site) {
				pgtest.Exec(s.t, s.url(id), "TABLE kept")
				s.mustDelete(id)
			},
		},
		adoptedRotation(),
	}
}

// adoptedRotation gives the role of two tenants another password.
func adoptedRotation() deed {
	const role = "hosting_adopted"
	return deed{
		name: "rotate an adopted one", steps: 2,
		begin: func(s *site) {
			url, err := pgurl.For(pgtest.Server(s.t), role, "postgres", secret.New("first"))
			require.NoError(s.t, err)
			pgtest.Exec(s.t, pgtest.Server(s.t), "DROP ROLE IF EXISTS "+role, "CREATE ROLE "+role+" LOGIN PASSWORD 'first'")
			for _, id := range []registry.TenantID{id, "other"} {
				n := newTenant(id)
				n.Tenant.DatabaseURL = &url
				_, err := s.reg.CreateTenant(s.ctx(), n)
				require.NoError(s.t, err)
			}
		},
		do: func(s *site) error {
			role, err := s.LookAtAdopted(s.ctx(), s.known(id).Tenant)
			require.NoError(s.t, err)
			require.NoError(s.t, role.Unreached, "one of the recorded passwords opens")
			require.Equal(s.t, []registry.TenantID{id, "other"}, role.Tenants)
			_, err = s.RotateAdopted(s.ctx(), role)
			return err
		},
		always: func(*site) {},
		done: func(s *site) {
			for _, id := range []registry.TenantID{id, "other"} {
				require.Nil(s.t, s.known(id).Next)
				s.requireOpens(s.url(id))
			}
			first, err := pgurl.WithPassword(s.url(id), secret.New("first"))
			require.NoError(s.t, err)
			s.requireRefused(first)
		},
		end: func(s *site) { pgtest.Exec(s.t, pgtest.Server(s.t), "DROP ROLE "+role) },
	}
}

// TestEveryStepCanBeRepeated: a deed that is stopped in front of a step, or by one of which nobody
// knows what became, is gone on with; one that is made and not all that follows it stops nothing.
// No login to a server is within a step.
func TestEveryStepCanBeRepeated(t *testing.T) {
	t.Parallel()
	pgtest.Server(t) // where it is skipped, this is, too
	for _, d := range deeds() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			d.stoppedAt(newSite(t), 0, nil)
			for step := range d.steps {
				for _, how := range []error{nil, registry.ErrUnknown, registry.ErrIncomplete} {
					t.Logf("step %d: %v", step+1, how)
					d.stoppedAt(newSite(t), step+1, how)
				}
			}
		})
	}
}

// stoppedAt does the deed, stops it at a step and goes on; 0 does not stop it.
func (d deed) stoppedAt(s *site, step int, how error) {
	if d.end == nil {
		d.end = func(s *site) { s.mustDelete(id) }
	}
	if d.again == nil {
		d.again = d.do
	}
	d.begin(s)
	s.arm(step, how)
	err := d.do(s)
	taken := s.steps
	s.arm(0, nil)
	switch {
	case step == 0:
		require.NoError(s.t, err)
		require.Equal(s.t, d.steps, taken)
	case errors.Is(how, registry.ErrIncomplete):
		require.True(s.t, made(err), "%v", err)
	default:
		require.ErrorIs(s.t, err, errStopped)
		d.always(s)
		require.NoError(s.t, d.again(s))
	}
	d.done(s)
	d.end(s)
}

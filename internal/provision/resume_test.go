package provision

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
)

// TestCreateGoesOnAfterEveryStep where it was cut off in front of one, or in the middle.
func TestCreateGoesOnAfterEveryStep(t *testing.T) {
	t.Parallel()
	for _, last := range []string{"look", "roles", "database", "rights", "login"} {
		t.Run(last, func(t *testing.T) {
			t.Parallel()
			cut := mustConnect(t, pgtest.Server(t))
			d := newDatabase(t, mustConnect(t, pgtest.Server(t)), last)
			ctx, cancel := context.WithCancel(t.Context())
			cut.Progress = func(step string) {
				if step == last {
					cancel()
				}
			}
			_, err := cut.Create(ctx, d, rand.Reader)
			require.ErrorIs(t, err, context.Canceled)
			require.Zero(t, count(t, "pg_database WHERE datallowconn AND has_database_privilege('public', oid, 'CONNECT') AND datname = "+literal(d.Name)), "open to others")
			requireWhole(t, d, mustCreate(t, mustConnect(t, pgtest.Server(t)), d))
		})
	}
}

// TestCreateGoesOnWhereverItWasCutOff also where the server still works on what was cut off.
func TestCreateGoesOnWhereverItWasCutOff(t *testing.T) {
	t.Parallel()
	for after := time.Millisecond; after < 100*time.Millisecond; after = after * 3 / 2 {
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			cut := mustConnect(t, pgtest.Server(t))
			d := newDatabase(t, mustConnect(t, pgtest.Server(t)), "cut")
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			if _, err := cut.Create(ctx, d, rand.Reader); !errors.Is(err, ErrUnavailable) && err != nil { // the network's deadline may come first
				require.ErrorIs(t, err, context.DeadlineExceeded)
			}
			requireWhole(t, d, mustCreate(t, mustConnect(t, pgtest.Server(t)), d))
		})
	}
}

func TestDropGoesOnWhereverItWasCutOff(t *testing.T) {
	t.Parallel()
	for after := time.Millisecond; after < 100*time.Millisecond; after *= 2 {
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			cut, s := mustConnect(t, pgtest.Server(t)), mustConnect(t, pgtest.Server(t))
			d := newDatabase(t, s, "cut")
			mustCreate(t, s, d)
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			if err := cut.Drop(ctx, d); err != nil {
				require.ErrorIs(t, err, context.DeadlineExceeded)
			}
			require.NoError(t, s.Drop(within(t), d))
			requireGone(t, d)
		})
	}
}

func TestCreateGoesOnFromWhatIsThere(t *testing.T) {
	t.Parallel()
	for name, statements := range map[string][]string{
		"one role":           {`CREATE ROLE %[1]s_owner`},
		"no membership":      {`CREATE ROLE %[1]s_owner`, `CREATE ROLE %[1]s_a NOLOGIN CONNECTION LIMIT 25`},
		"roles":              {`CREATE ROLE %[1]s_owner`, `CREATE ROLE %[1]s_a CONNECTION LIMIT 25`, `CREATE ROLE %[1]s_b CONNECTION LIMIT 25`},
		"an open database":   {`CREATE ROLE %[1]s_owner`, `CREATE DATABASE %[1]s OWNER %[1]s_owner TEMPLATE template0`},
		"a broken database":  {`CREATE ROLE %[1]s_owner`, `CREATE DATABASE %[1]s OWNER %[1]s_owner TEMPLATE template0`, `UPDATE pg_database SET datconnlimit = -2 WHERE datname = '%[1]s'`},
		"a login":            {`CREATE ROLE %[1]s_owner`, `CREATE DATABASE %[1]s OWNER %[1]s_owner TEMPLATE template0`, `CREATE ROLE %[1]s_a LOGIN PASSWORD 'old' VALID UNTIL '2001-01-01' CONNECTION LIMIT 25`},
		"a marked database":  {`CREATE ROLE %[1]s_owner`, `CREATE DATABASE %[1]s OWNER %[1]s_owner TEMPLATE template0`, `COMMENT ON ROLE %[1]s_owner IS 'sp tenant local_%[1]s'`},
		"a template of ours": {`CREATE ROLE %[1]s_owner`, `CREATE DATABASE %[1]s OWNER %[1]s_owner TEMPLATE template0 IS_TEMPLATE true`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mustConnect(t, pgtest.Server(t))
			d := newDatabase(t, s, name)
			for _, statement := range statements {
				pgtest.Exec(t, pgtest.Server(t), replaced(statement, d))
			}
			requireWhole(t, d, mustCreate(t, s, d))
		})
	}
}

func TestCreateTwiceAtOnce(t *testing.T) {
	t.Parallel()
	admin := pgtest.Server(t)
	d := newDatabase(t, mustConnect(t, admin), "twice")
	var wait sync.WaitGroup
	for range 2 {
		s := mustConnect(t, admin)
		wait.Go(func() { // the one that comes last has the login that works
			_, err := s.Create(t.Context(), d, rand.Reader)
			assert.Contains(t, []string{"", "28P01", "57P01"}, stateOf(err), "%v", err)
		})
	}
	wait.Wait()
	requireWhole(t, d, mustCreate(t, mustConnect(t, admin), d))
}

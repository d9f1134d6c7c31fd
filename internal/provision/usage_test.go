package provision

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/secret"
)

func TestUsagesTellWhoUsesADatabase(t *testing.T) {
	t.Parallel()
	for name, admin := range map[string]secret.Secret{"superuser": pgtest.Server(t), "admin": pgtest.Admin(t, "sp_test_usage", "secret")} {
		s := mustConnect(t, admin)
		used, idle := newDatabase(t, s, "used"), newDatabase(t, s, "idle")
		url := mustCreate(t, s, used)
		mustCreate(t, s, idle)
		before := time.Now().Add(-time.Minute)
		begun(t, with(url, "?application_name=b%1Bad"), "CREATE TABLE t (n int)")
		openSession(t, url)

		var found map[string]Usage
		require.Eventually(t, func() bool { // what made the databases may take a moment to end
			var err error
			found, err = s.Usages(within(t), used.Name, idle.Name, "nothing")
			require.NoError(t, err, name)
			return len(found[used.Name].Sessions) == 2 && len(found[idle.Name].Sessions) == 0
		}, 30*time.Second, 10*time.Millisecond)
		require.Equal(t, Usage{}, found["nothing"])
		u := found[used.Name]
		require.True(t, u.There && u.Whole)
		require.Greater(t, *u.Size, int64(1_000_000))
		require.Equal(t, name == "superuser", u.Written != nil, "only a superuser may look at files")
		require.Equal(t, used.Role(LoginA), u.Sessions[0].Role)
		require.Equal(t, "127.0.0.1", u.Sessions[0].Client)
		require.Equal(t, "idle in transaction", u.Sessions[0].State)
		require.Equal(t, u.Sessions[0].Transaction, u.Oldest)
		require.True(t, u.Oldest.After(before))
		require.False(t, u.Active().Before(*u.Oldest))
		require.Nil(t, found[idle.Name].Oldest)
		require.Nil(t, found[idle.Name].Active())

		pgtest.Exec(t, pgtest.Server(t), "ALTER ROLE "+idle.Role(LoginB)+" RENAME TO "+idle.Name+"_c")
		pgtest.Exec(t, pgtest.Server(t), "REVOKE ALL ON DATABASE "+idle.Name+" FROM "+idle.Owner())
		found, err := s.Usages(within(t), idle.Name)
		require.NoError(t, err)
		require.True(t, found[idle.Name].There)
		require.False(t, found[idle.Name].Whole)
		require.Equal(t, name == "superuser", found[idle.Name].Size != nil, "who may not connect learns no size")
		pgtest.Exec(t, pgtest.Server(t), "ALTER ROLE "+idle.Name+"_c RENAME TO "+idle.Role(LoginB))
	}
}

// TestASessionThatTheAdministratorMayNotSeeIsCounted: the server tells him that it is there, and no more.
func TestASessionThatTheAdministratorMayNotSeeIsCounted(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Admin(t, "sp_test_unseen", "secret"))
	d := newDatabase(t, s, "unseen")
	mustCreate(t, s, d)
	openSession(t, with(otherDatabase(t, pgtest.Server(t), d.Name), "?application_name=unseen"))
	require.Eventually(t, func() bool { // what made the database may take a moment to end
		uses, err := s.Uses(within(t), d)
		require.NoError(t, err)
		return slices.Equal(Uses{{"unseen", 1}}, uses)
	}, 30*time.Second, 10*time.Millisecond)
	found, err := s.Usages(within(t), d.Name)
	require.NoError(t, err)
	require.Len(t, found[d.Name].Sessions, 1)
	pgtest.Exec(t, pgtest.Server(t), "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE application_name = 'unseen'")
}

// TestAPreparedTransactionIsTheOldest: no session shows it.
func TestAPreparedTransactionIsTheOldest(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Server(t))
	d := newDatabase(t, s, "prepared_use")
	url := mustCreate(t, s, d)
	pgtest.Exec(t, url, "START TRANSACTION; CREATE TABLE t (n int); PREPARE TRANSACTION '"+d.Name+"'")
	found, err := s.Usages(within(t), d.Name)
	require.NoError(t, err)
	require.NotNil(t, found[d.Name].Oldest)
	for _, session := range found[d.Name].Sessions { // that which prepared it may take a moment to end
		require.Nil(t, session.Transaction)
	}
}

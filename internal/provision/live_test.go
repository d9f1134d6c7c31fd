package provision

import (
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// TestWhatALiveServerRefuses as it says it itself.
func TestWhatALiveServerRefuses(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Server(t))
	d := newDatabase(t, s, "refused")
	url := mustCreate(t, s, d)
	wrong, err := pgurl.WithPassword(url, secret.New("wrong"))
	require.NoError(t, err)
	for _, c := range []struct {
		url   secret.Secret
		want  error
		state string
	}{
		{wrong, ErrDenied, "28P01"},
		{otherDatabase(t, url, "missing"), ErrMismatch, "3D000"},
		{with(url, "?sslmode=require"), ErrDenied, ""},
		{with(url, "?options=-c%20nonsense%3D1"), ErrDenied, "42704"},
	} {
		_, err := Check(within(t), c.url)
		require.ErrorIs(t, err, c.want)
		require.Equal(t, c.state, stateOf(err))
		require.NotContains(t, err.Error(), "postgres://")
	}
	require.NoError(t, ChecksPasswords(within(t), url, rand.Reader))
	refused, err := Refuses(within(t), url)
	require.NoError(t, err)
	require.False(t, refused)

	require.ErrorIs(t, ChecksPasswords(within(t), pgtest.Trust(t), rand.Reader), ErrUnchecked)
}

func TestABrokenSessionSaysSo(t *testing.T) {
	t.Parallel()
	admin := pgtest.Server(t)
	s := mustConnect(t, admin)
	pgtest.Exec(t, admin, fmt.Sprintf("SELECT pg_terminate_backend(%d)", s.conn.PID()))
	d := Database{Name: "sp_never", Tenant: "local_1"}
	require.Eventually(t, func() bool { // it may see it at the second try only
		_, err := s.Create(within(t), d, rand.Reader)
		require.ErrorIs(t, err, ErrUnavailable)
		return s.conn.IsClosed()
	}, 5*time.Second, 10*time.Millisecond)
	requireGone(t, d)
}

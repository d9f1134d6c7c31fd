package postgres

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/secret"
)

// mustListen is a foreign program on a port.
func mustListen(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

func TestAFreePortIsThePreferredOneIfItCan(t *testing.T) {
	t.Parallel()
	free := mustFreePort(t)
	got, err := FreePort(free)
	require.NoError(t, err)
	require.Equal(t, free, got)
	taken := mustListen(t)
	got, err = FreePort(taken)
	require.NoError(t, err)
	require.NotEqual(t, taken, got)
	require.NoError(t, checkPort(got))
}

func TestAPortThatIsTakenOrNoneIsRefused(t *testing.T) {
	t.Parallel()
	require.ErrorIs(t, checkPort(mustListen(t)), ErrTaken)
	for _, port := range []int{-1, 0, 65536} {
		require.ErrorIs(t, checkPort(port), ErrInvalid)
	}
}

func TestAdminURLsAreThoseOfTheLoopback(t *testing.T) {
	t.Parallel()
	odd := secret.New("a:b@c/d?e#f%")
	require.Equal(t, "postgres://sp_admin:a%3Ab%40c%2Fd%3Fe%23f%25@127.0.0.1:5433/postgres", ClusterURL(5433, odd).Reveal())
	require.Equal(t, "postgres://postgres:pw@127.0.0.1:5434/postgres", DockerURL(5434, secret.New("pw")).Reveal())
}

func TestNeitherPasswordsNorAddressesAreSaidAgain(t *testing.T) {
	t.Parallel()
	require.Equal(t, "no role [secret] at [address] here", without(password, "no role "+password.Reveal()+" at postgres://u@h here"))
	require.Equal(t, "as it is", without(secret.Secret{}, "as it is"))
}

package provision

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
)

// fake is somebody who listens where a server should; the URL has a secret and a login that
// no message may have.
func fake(t *testing.T, answer func(net.Conn)) secret.Secret {
	t.Helper()
	at := pgtest.Listen(t, answer)
	conn, err := net.Dial("tcp", at)
	if err != nil { // one can listen there all the same
		t.Skip("it needs the loopback: ", err)
	}
	require.NoError(t, conn.Close())
	return secret.New(fmt.Sprintf("postgres://somebody:s3cret@%s/somewhere", at))
}

// requireQuiet holds an error to what it may tell of a URL: the address, and nothing else.
func requireQuiet(t *testing.T, err error) {
	t.Helper()
	for _, told := range []string{"s3cret", "somebody", "somewhere", "postgres://", "SELECT", "\n"} {
		require.NotContains(t, err.Error(), told)
	}
}

func TestWhatAServerSaysIsSorted(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]error{
		"28P01": ErrDenied, "28000": ErrDenied, "42501": ErrDenied, "0A000": ErrDenied, "42704": ErrDenied, "55000": ErrDenied,
		"3D000": ErrMismatch,
		"57P03": ErrUnavailable, "57P01": ErrUnavailable, "53300": ErrCrowded, "53100": ErrNoDisk, "53200": ErrFull, "08006": ErrUnavailable,
	} {
		url := fake(t, pgtest.Says(state, "it will not"))
		_, err := Check(within(t), url)
		require.ErrorIs(t, err, want, state)
		require.ErrorContains(t, err, "it will not ("+state+")")
		requireQuiet(t, err)
		_, err = Connect(within(t), url)
		require.ErrorIs(t, err, want, state)

		refused, err := Refuses(within(t), url)
		require.Equal(t, state == "28P01", refused, state)
		unchecked := ChecksPasswords(within(t), url, rand.Reader)
		switch {
		case errors.Is(want, ErrUnavailable):
			require.ErrorIs(t, err, ErrUnavailable, state)
			require.ErrorIs(t, unchecked, ErrUnavailable, state)
		case state == "28P01":
			require.NoError(t, err)
			require.NoError(t, unchecked)
		default:
			require.NoError(t, err, state)
			require.ErrorIs(t, unchecked, ErrUnchecked, state)
		}
	}
}

// TestWhatAPoolerSaysIsSorted by its words, for PgBouncer up to 1.20 has one SQLSTATE for all.
func TestWhatAPoolerSaysIsSorted(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]error{
		"SASL authentication failed":                        ErrDenied,
		`password authentication failed for user "it"`:      ErrDenied,
		"no such user: it":                                  ErrDenied,
		"no such database: it":                              ErrMismatch,
		"no more connections allowed (max_client_conn)":     ErrUnavailable,
		"server login has been failing, try again later":    ErrUnavailable,
		"pgbouncer cannot connect to server":                ErrUnavailable,
		"unsupported startup parameter: extra_float_digits": ErrUnavailable,
		"query_wait_timeout":                                ErrUnavailable,
	} {
		url := fake(t, pgtest.Says("08P01", said))
		_, err := Check(within(t), url)
		require.ErrorIs(t, err, want, said)
		requireQuiet(t, err)
		refused, err := Refuses(within(t), url)
		require.Equal(t, want == ErrDenied, refused, said)
		require.Equal(t, want == ErrUnavailable, err != nil, said)
	}
}

func TestAServerCannotTellThePassword(t *testing.T) {
	t.Parallel()
	_, err := Check(within(t), fake(t, pgtest.Says("28000", "the password was s3cret")))
	require.ErrorIs(t, err, ErrDenied)
	requireQuiet(t, err)
	_, err = Check(within(t), fake(t, pgtest.Says("28000", "two\nlines\x1b[0m"+strings.Repeat("é", 300))))
	require.ErrorIs(t, err, ErrDenied)
	requireQuiet(t, err)
	require.NotContains(t, err.Error(), "\x1b")
	require.Less(t, len(err.Error()), 400)
}

func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	gone := fake(t, func(net.Conn) {})
	for name, c := range map[string]struct {
		url  secret.Secret
		want error
		why  string
	}{
		"hangs up":    {gone, ErrUnavailable, "no PostgreSQL server"},
		"HTTP":        {fake(t, func(c net.Conn) { _, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }), ErrUnavailable, "no PostgreSQL server"},
		"SSH":         {fake(t, func(c net.Conn) { _, _ = c.Write([]byte("SSH-2.0-OpenSSH_9.2\r\n")); _, _ = io.Copy(io.Discard, c) }), ErrUnavailable, "no PostgreSQL server"},
		"bad TLS":     {fake(t, func(c net.Conn) { _, _ = c.Write([]byte("Snot a handshake")); _, _ = io.Copy(io.Discard, c) }), ErrUnavailable, "no PostgreSQL server"},
		"no TLS":      {with(fake(t, pgtest.Says("28P01", "no")), "?sslmode=require"), ErrDenied, "offers no TLS"},
		"nobody":      {secret.New("postgres://somebody:s3cret@127.0.0.1:1/somewhere"), ErrUnavailable, "127.0.0.1:1: connection refused"},
		"no socket":   {secret.New("postgres://somebody:s3cret@/somewhere?host=/nowhere.invalid"), ErrUnavailable, "/nowhere.invalid: no server has its socket there"},
		"neither":     {secret.New("postgres://somebody:s3cret@127.0.0.1:1,127.0.0.1:2/somewhere"), ErrUnavailable, "connection refused"},
		"a huge body": {fake(t, func(c net.Conn) { _, _ = c.Write([]byte("NR\x7f\xff\xff\xff")); _, _ = io.Copy(io.Discard, c) }), ErrUnavailable, "no PostgreSQL server"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Check(within(t), c.url)
			require.ErrorIs(t, err, c.want)
			require.ErrorContains(t, err, c.why)
			requireQuiet(t, err)
			_, err = Connect(within(t), c.url)
			require.ErrorIs(t, err, c.want)
			refused, err := Refuses(within(t), c.url)
			require.ErrorIs(t, err, c.want)
			require.False(t, refused)
			require.ErrorIs(t, ChecksPasswords(within(t), c.url, rand.Reader), c.want)
			_, err = OpenRole(within(t), c.url)
			require.ErrorIs(t, err, c.want)
		})
	}
}

func TestAHostThatIsNotKnownIsNotNamed(t *testing.T) {
	t.Parallel()
	url := secret.New("postgres://somebody:s3cret@nowhere.invalid/somewhere")
	config, err := configOf(url)
	require.NoError(t, err)
	config.LookupFunc = func(_ context.Context, host string) ([]string, error) { // a test asks no name server
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	_, err = pgconn.ConnectConfig(within(t), config)
	err = connectTrouble(t.Context(), "login", config, err)
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorContains(t, err, "name is not known")
	requireQuiet(t, err)
}

func with(url secret.Secret, more string) secret.Secret {
	return secret.New(url.Reveal() + more)
}

func TestTheCallersTimeEndsIt(t *testing.T) {
	t.Parallel()
	silent := fake(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := Check(ctx, silent)
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	requireQuiet(t, err)

	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = Check(ctx, silent)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, ErrUnavailable)
	requireQuiet(t, err)

	_, err = Check(within(t), with(silent, "?connect_timeout=1"))
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorContains(t, err, "no answer in time")
}

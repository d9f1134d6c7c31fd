package provision

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
)

// mustCertify makes a certificate for 127.0.0.1, which is its own authority.
func mustCertify(t *testing.T) (server *tls.Config, authority string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	authority = filepath.Join(t.TempDir(), "root.crt")
	require.NoError(t, os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, authority
}

// secure is a server that answers over TLS what Check asks.
func secure(config *tls.Config) func(net.Conn) {
	return func(plain net.Conn) {
		if _, err := pgproto3.NewBackend(plain, plain).ReceiveStartupMessage(); err != nil {
			return
		}
		_, _ = plain.Write([]byte("S"))
		conn := tls.Server(plain, config)
		b := pgproto3.NewBackend(conn, conn)
		if _, err := b.ReceiveStartupMessage(); err != nil {
			return
		}
		b.Send(&pgproto3.AuthenticationOk{})
		b.Send(&pgproto3.ParameterStatus{Name: "server_version", Value: "17.2 (Somebody's)"})
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		if b.Flush() != nil {
			return
		}
		if _, err := b.Receive(); err != nil {
			return
		}
		column := pgproto3.FieldDescription{Name: []byte("c")}
		b.Send(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{column, column, column, column}})
		b.Send(&pgproto3.DataRow{Values: [][]byte{[]byte("somewhere_a"), []byte("somewhere"), []byte("sp tenant local_1"), []byte("0")}})
		b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		_ = b.Flush()
		_, _ = b.Receive()
	}
}

func TestCheckTellsWhetherTheConnectionIsEncrypted(t *testing.T) {
	t.Parallel()
	config, authority := mustCertify(t)
	url := fake(t, secure(config))
	want := Answer{Version: "17.2", TLS: true, User: "somewhere_a", Database: "somewhere", Tenant: "local_1"}
	for _, parameters := range []string{"", "?sslmode=require", "?sslmode=verify-full&sslrootcert=" + authority, "?sslmode=verify-ca&sslrootcert=" + authority} {
		answer, err := Check(within(t), with(url, parameters))
		require.NoError(t, err, parameters)
		require.Equal(t, want, answer, parameters)
	}
}

func TestACertificateThatIsNotTrustedIsDenied(t *testing.T) {
	t.Parallel()
	config, _ := mustCertify(t)
	_, other := mustCertify(t)
	url := fake(t, secure(config))
	for _, parameters := range []string{"?sslmode=verify-full", "?sslmode=verify-full&sslrootcert=" + other, "?sslmode=verify-ca&sslrootcert=" + other} {
		_, err := Check(within(t), with(url, parameters))
		require.ErrorIs(t, err, ErrDenied, parameters)
		require.ErrorContains(t, err, "certificate is not trusted", parameters)
		requireQuiet(t, err)
	}
}

func TestALoginThatLeadsElsewhereIsAMismatch(t *testing.T) {
	t.Parallel()
	config, _ := mustCertify(t)
	url := fake(t, secure(config)) // somewhere_a in somewhere, of local_1
	right := Database{Name: "somewhere", Tenant: "local_1"}
	for _, d := range []Database{{Name: "elsewhere", Tenant: "local_1"}, {Name: "somewhere", Tenant: "local_2"}} {
		require.ErrorIs(t, (&Server{}).leadsTo(within(t), url, d, LoginA), ErrMismatch)
	}
	require.ErrorIs(t, (&Server{}).leadsTo(within(t), url, right, LoginB), ErrMismatch)
	require.NoError(t, (&Server{}).leadsTo(within(t), url, right, LoginA))
}

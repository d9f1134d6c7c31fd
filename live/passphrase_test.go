package live

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPsqlReadsTheKeysPassphrase: libpq has no variable for it, and it is in no argument. With
// the right one psql can show its certificate, with another one it can't.
func TestPsqlReadsTheKeysPassphrase(t *testing.T) {
	t.Parallel()
	s := newScene(t, "passphrase")
	temporary := filepath.Join(s.Dir, "temporary")
	require.NoError(t, os.Mkdir(temporary, 0o700))
	s.Env = append(s.Env, "TMPDIR="+temporary)
	given := filepath.Join(os.Getenv(homeVariable), "testdata", "client")
	key, err := os.ReadFile(filepath.Join(given, "client.key"))
	require.NoError(t, err)
	path := filepath.Join(s.Dir, "client.key")
	require.NoError(t, os.WriteFile(path, key, 0o600)) // libpq takes no other mode
	for passphrase, shows := range map[string]bool{"pass%20word%26%3D%231": true, "wrong": false} {
		at, shown := securely(t)
		url := "postgres://u@" + at + "/d?gssencmode=disable&sslmode=require&sslcert=" + filepath.Join(given, "client.crt") +
			"&sslkey=" + path + "&sslpassword=" + passphrase
		id := s.must("tenant", "create", "--name", passphrase, "--no-check", "--database-url", url)
		o := s.Run("psql", id, "--", "-c", "SELECT 1")
		require.Equal(t, 2, o.Exit, o.Stderr)
		require.Equal(t, shows, <-shown, o.Stderr)
	}

	// The same psql reads it again for another connection, and nobody else can.
	separator := "?"
	if strings.Contains(s.super.Reveal(), "?") {
		separator = "&"
	}
	id := s.must("tenant", "create", "--name", "again", "--no-check", "--database-url", s.super.Reveal()+separator+"sslpassword=mark")
	o := s.Run("psql", id, "--", "-XAt", "-c", `\c`, "-c", "SELECT 41 + 1", "-c", `\! cat $PGSERVICEFILE; tr '\0' ' ' </proc/$PPID/cmdline | grep -c m[a]rk`)
	require.Contains(t, o.Stdout, "42\n[sp]\nsslpassword=mark\n0\n", o.Stderr)
	left, err := os.ReadDir(temporary)
	require.NoError(t, err)
	require.Empty(t, left)
}

// securely is a server for one client, and tells whether that shows a certificate.
func securely(t *testing.T) (at string, shown <-chan bool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	result := make(chan bool, 1)
	go func() {
		plain, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = plain.Close() }()
		_, _ = io.ReadFull(plain, make([]byte, 8)) // it asks for TLS
		_, _ = plain.Write([]byte("S"))
		conn := tls.Server(plain, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: private}}, ClientAuth: tls.RequireAnyClientCert})
		result <- conn.Handshake() == nil && len(conn.ConnectionState().PeerCertificates) == 1
	}()
	return listener.Addr().String(), result
}

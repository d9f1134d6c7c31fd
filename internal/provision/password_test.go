package provision

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/secret"
)

// TestVerifierIsTheOneOfRFC7677: what its section 3 exchanges is proved with the two keys.
func TestVerifierIsTheOneOfRFC7677(t *testing.T) {
	t.Parallel()
	decode := func(text string) []byte {
		raw, err := base64.StdEncoding.DecodeString(text)
		require.NoError(t, err)
		return raw
	}
	got, err := scram("pencil", decode("W22ZaJ0SNY7soEsUEjb6gQ=="), rounds)
	require.NoError(t, err)
	head, keys, _ := strings.Cut(got, "==$")
	require.Equal(t, "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ", head)
	stored, server, _ := strings.Cut(keys, ":")

	const nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
	exchanged := "n=user,r=rOprNGfwEbeRWgbNEkqO,r=" + nonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=" + nonce
	require.Equal(t, decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), keyed(decode(server), exchanged))
	client := make([]byte, sha256.Size) // the client's key, out of its proof
	subtle.XORBytes(client, decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="), keyed(decode(stored), exchanged))
	hashed := sha256.Sum256(client)
	require.Equal(t, decode(stored), hashed[:])
}

func TestPasswordsDifferAndNeedNoEscaping(t *testing.T) {
	t.Parallel()
	one, err := NewPassword(rand.Reader)
	require.NoError(t, err)
	two, err := NewPassword(rand.Reader)
	require.NoError(t, err)
	require.False(t, one.Equal(two))
	require.Regexp(t, `^[A-Za-z0-9_-]{32}$`, one.Reveal())
	first, err := verifier(one, rand.Reader)
	require.NoError(t, err)
	second, err := verifier(one, rand.Reader)
	require.NoError(t, err)
	require.NotEqual(t, first, second, "salt")
	require.NotContains(t, first, one.Reveal())

	_, err = NewPassword(io.LimitReader(rand.Reader, 23))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	_, err = verifier(one, io.LimitReader(rand.Reader, 15))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	for _, bad := range []string{"", "é", "\x7f", "a\nb"} {
		_, err = verifier(secret.New(bad), rand.Reader)
		require.ErrorIs(t, err, ErrInvalid)
	}
}

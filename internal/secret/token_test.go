package secret

import (
	"bytes"
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestATokenIsKnownWhole(t *testing.T) {
	t.Parallel()
	token, err := NewToken("sp_pat_", bytes.NewReader(make([]byte, 32)))
	require.NoError(t, err)
	require.Equal(t, "sp_pat_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", token.Reveal()[:50])
	other, err := NewToken("sp_pat_", rand.Reader)
	require.NoError(t, err)
	require.NotEqual(t, token.Reveal(), other.Reveal())
	for _, token := range []Secret{token, other} {
		text := token.Reveal()
		require.Len(t, text, 56)
		require.True(t, CheckToken("sp_pat_", token))
		require.False(t, CheckToken("sp_sync_", token))
		for i := range text {
			changed := []byte(text)
			changed[i]++
			require.False(t, CheckToken("sp_pat_", New(string(changed))), i)
			require.False(t, CheckToken("sp_pat_", New(text[:i])), i)
		}
		require.False(t, CheckToken("sp_pat_", New(text+"0")))
	}
}

func TestATokenNeedsAllItsRandomness(t *testing.T) {
	t.Parallel()
	_, err := NewToken("sp_pat_", bytes.NewReader(make([]byte, 31)))
	require.Error(t, err)
}

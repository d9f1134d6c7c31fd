package secret

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestATokenIsRandomAndHasAChecksum(t *testing.T) {
	t.Parallel()
	token, err := NewToken(SyncToken, bytes.NewReader(make([]byte, 32)))
	require.NoError(t, err)
	require.Equal(t, "sp_sync_"+strings.Repeat("A", 43)+zeros, token.Reveal())
	require.True(t, CheckToken(SyncToken, token.Reveal()))
	require.False(t, CheckToken(PersonalToken, token.Reveal()))
	require.Equal(t, Redacted, token.String())
	_, err = NewToken(SyncToken, bytes.NewReader(make([]byte, 31)))
	require.Error(t, err)
}

// zeros is the checksum of the sync token of 32 zero bytes, as another program counted it.
const zeros = "3garSl"

func TestATokenThatWasCutOrMisspeltIsKnown(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.SampledFrom([]string{SyncToken, PersonalToken, ""}).Draw(t, "prefix")
		token, err := NewToken(prefix, bytes.NewReader(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "random")))
		require.NoError(t, err)
		text := token.Reveal()
		require.True(t, CheckToken(prefix, text))
		require.Regexp(t, "^"+prefix+"[A-Za-z0-9_-]{49}$", text)
		at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		require.False(t, CheckToken(prefix, text[:at]))
		require.False(t, CheckToken(prefix, text[:at]+text[at+1:]))
		require.False(t, CheckToken(prefix, text[:at]+"\n"+text[at:]))
		require.False(t, CheckToken(prefix, text+text[at:]))
		other := rapid.SampledFrom([]rune(digits+"-_ =\x00")).Draw(t, "other")
		if spelt := text[:at] + string(other) + text[at+1:]; spelt != text {
			require.False(t, CheckToken(prefix, spelt), spelt)
		}
	})
	for _, text := range []string{"", "sp_sync_", "sp_sync_abc123...", "sp_sync_" + strings.Repeat("A", 43)} {
		require.False(t, CheckToken(SyncToken, text), text)
	}
}

package harness

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMarkersAreFoundHoweverTheyAreWritten(t *testing.T) {
	t.Parallel()
	for _, before := range []string{"", "x", "xy", "xyz"} {
		text := before + Marker + "tail"
		for _, written := range []string{
			text, strings.ToLower(text), base64.StdEncoding.EncodeToString([]byte(text)), base64.RawURLEncoding.EncodeToString([]byte(text)),
			hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text))), url.PathEscape(text), each(text, "%%%02X"), each(text, "%%%02x"), each(text, `\u%04x`), fmt.Sprint([]byte(text)),
		} {
			require.NotEmpty(t, MarkersIn(written), written)
		}
	}
	require.Empty(t, MarkersIn("postgres://***:***@h/d"))
}

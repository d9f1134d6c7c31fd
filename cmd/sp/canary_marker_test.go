package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// marker stands for every secret. It is as long as it is so that a part of it is
// known in base64 wherever it starts.
const marker = "CANARYc4n4ryCANARY"

const (
	markedURL      = "postgres://u:" + marker + "@h/d"
	markedKeywords = "host=h user=u password=" + marker
	markedKey      = "postgres://h/d?scram_client_key=" + marker
)

// needles are the ways in which a marker may be written.
var needles = func() []string {
	found := []string{marker, hex.EncodeToString([]byte(marker)), each2(marker, "%%%02x"), each2(marker, `\u%04x`), strings.Trim(fmt.Sprint([]byte(marker)), "[]")}
	for i, needle := range found {
		found[i] = strings.ToLower(needle)
	}
	for before := range 3 {
		// What stands before and behind the marker has a part in its first and last characters.
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + marker))
		found = append(found, text[4:len(text)-4]) // no + or / is in it, so that both alphabets write it alike
	}
	return found
}()

// each2 writes every byte of a text by a format.
func each2(text, format string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, format, text[i])
	}
	return b.String()
}

// markersIn returns which needles a text holds.
func markersIn(text string) (found []string) {
	lower := strings.ToLower(text)
	for _, needle := range needles {
		if strings.Contains(text, needle) || strings.Contains(lower, needle) {
			found = append(found, needle)
		}
	}
	return found
}

func TestMarkersAreFoundHoweverTheyAreWritten(t *testing.T) {
	t.Parallel()
	for _, before := range []string{"", "x", "xy", "xyz"} {
		text := before + marker + "tail"
		for _, written := range []string{
			text, strings.ToLower(text), base64.StdEncoding.EncodeToString([]byte(text)), base64.RawURLEncoding.EncodeToString([]byte(text)),
			hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text))), url.PathEscape(text), each2(text, "%%%02X"), each2(text, "%%%02x"), each2(text, `\u%04x`), fmt.Sprint([]byte(text)),
		} {
			require.NotEmpty(t, markersIn(written), written)
		}
	}
	require.Empty(t, markersIn("postgres://***:***@h/d"))
}

package harness

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// Marker stands for every secret. It is as long as it is so that a part of it is known in
// base64 wherever it starts.
const Marker = "CANARYc4n4ryCANARY"

// MarkedURL is a URL with the marker as its password.
const MarkedURL = "postgres://u:" + Marker + "@h/d"

// needles are the ways in which a marker may be written.
var needles = func() []string {
	found := []string{Marker, hex.EncodeToString([]byte(Marker)), each(Marker, "%%%02x"), each(Marker, `\u%04x`), strings.Trim(fmt.Sprint([]byte(Marker)), "[]")}
	for i, needle := range found {
		found[i] = strings.ToLower(needle)
	}
	for before := range 3 {
		// What stands before and behind the marker has a part in its first and last characters.
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + Marker))
		found = append(found, text[4:len(text)-4]) // no + or / is in it, so that both alphabets write it alike
	}
	return found
}()

// each writes every byte of a text by a format.
func each(text, format string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, format, text[i])
	}
	return b.String()
}

// MarkersIn returns the ways in which a text holds the marker.
func MarkersIn(text string) (found []string) {
	lower := strings.ToLower(text)
	for _, needle := range needles {
		if strings.Contains(text, needle) || strings.Contains(lower, needle) {
			found = append(found, needle)
		}
	}
	return found
}

package jsontext

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each byte, at each place of texts of every length up to some words.
func TestPlainIsWhatNeedsNoEscape(t *testing.T) {
	t.Parallel()
	for _, around := range []byte{'x', 0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f, 0x80, 0xff} {
		for length := range 20 {
			text := bytes.Repeat([]byte{around}, length)
			require.Equal(t, length, plainLength(text))
			for at := range length {
				for c := range 256 {
					text[at] = byte(c)
					want := length
					if mustEscape[c] {
						want = at
					}
					require.Equal(t, want, plainLength(text), "%x at %d of %x", c, at, text)
				}
				text[at] = around
			}
		}
	}
}

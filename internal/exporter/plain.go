package exporter

import "encoding/binary"

// isPlain tells whether a string holds nothing that a JSON string must escape. It
// looks at eight bytes at a time, which is a tenth of what an export takes.
func isPlain(s []byte) bool {
	for len(s) >= 8 {
		if mustEscapeAny(binary.LittleEndian.Uint64(s)) {
			return false
		}
		s = s[8:]
	}
	for _, c := range s {
		if mustEscape[c] {
			return false
		}
	}
	return true
}

// mustEscapeAny tells whether one of eight bytes is below 0x20, a quote or a backslash.
// Taking n from a byte below n borrows from its high bit, which a byte from 0x80 on has
// by itself, and hence does not count.
func mustEscapeAny(bytes uint64) bool {
	const each, high = 0x0101010101010101, 0x8080808080808080
	quote, backslash := bytes^each*'"', bytes^each*'\\'
	controls := (bytes - each*0x20) &^ bytes
	return (controls|(quote-each)&^quote|(backslash-each)&^backslash)&high != 0
}

package secret

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash/crc32"
	"io"
	"strings"
)

// The prefixes of tokens, so that a scanner for secrets knows one.
const (
	PersonalToken = "sp_pat_"
	SyncToken     = "sp_sync_"
)

const (
	randomBytes = 32
	digits      = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	checkDigits = 6 // of base 62 hold any 32 bits
)

// NewToken returns a token: its prefix, 32 random bytes in unpadded base64url, and a checksum of
// both, by which a token that was cut or misspelt is known without looking it up:
//
//	sp_sync_ 3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA 38cdZ8
func NewToken(prefix string, random io.Reader) (Secret, error) {
	number := make([]byte, randomBytes)
	if _, err := io.ReadFull(random, number); err != nil {
		return Secret{}, err
	}
	text := prefix + base64.RawURLEncoding.EncodeToString(number)
	return New(text + checksum(text)), nil
}

// CheckToken tells whether a text has the form of a token with that prefix. Whether it is anybody's
// it does not tell.
func CheckToken(prefix, text string) bool {
	middle, found := strings.CutPrefix(text, prefix)
	end := len(middle) - checkDigits
	if !found || end < 0 {
		return false
	}
	number, err := base64.RawURLEncoding.Strict().DecodeString(middle[:end])
	return err == nil && len(number) == randomBytes && !strings.ContainsAny(text, "\r\n") &&
		checksum(prefix+middle[:end]) == middle[end:]
}

// IsToken tells whether a text that was given as something else, such as a name or an id, must have been
// meant as a token. It is not repeated.
func IsToken(text string) bool {
	return strings.Contains(text, PersonalToken) || strings.Contains(text, SyncToken)
}

// Hash is by what a token or code that is kept nowhere is known again: its SHA-256, in hex. It is good
// for what can't be guessed only.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// checksum is the CRC-32 of a text in base 62, most significant digit first.
func checksum(text string) string {
	sum := crc32.ChecksumIEEE([]byte(text))
	var found [checkDigits]byte
	for i := range found {
		found[checkDigits-1-i] = digits[sum%uint32(len(digits))]
		sum /= uint32(len(digits))
	}
	return string(found[:])
}

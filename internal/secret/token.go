package secret

import (
	"encoding/base64"
	"hash/crc32"
	"io"
	"strings"
)

// A token is a prefix that says what it is for, 32 random bytes in unpadded base64url, and six letters
// and digits that are the CRC-32 of all before them: a scanner for secrets knows one, and a program
// tells one that was cut off or mistyped without asking anybody.
const (
	tokenLength    = 43
	checksumLength = 6
	base62         = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// NewToken makes a token with a prefix, such as sp_pat_.
func NewToken(prefix string, random io.Reader) (Secret, error) {
	var b [32]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return Secret{}, err
	}
	text := prefix + base64.RawURLEncoding.EncodeToString(b[:])
	return New(text + checksum(text)), nil
}

// CheckToken tells whether a text is a token of that prefix, and whole.
func CheckToken(prefix string, text Secret) bool {
	rest, ok := strings.CutPrefix(text.Reveal(), prefix)
	if !ok || len(rest) != tokenLength+checksumLength {
		return false
	}
	if _, err := base64.RawURLEncoding.DecodeString(rest[:tokenLength]); err != nil {
		return false
	}
	return rest[tokenLength:] == checksum(prefix+rest[:tokenLength])
}

func checksum(text string) string {
	sum := crc32.ChecksumIEEE([]byte(text))
	var digits [checksumLength]byte
	for i := checksumLength - 1; i >= 0; i-- {
		digits[i] = base62[sum%62]
		sum /= 62
	}
	return string(digits[:])
}

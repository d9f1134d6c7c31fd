package login

import (
	"encoding/base64"
	"io"
	"strings"
	"unicode"

	"github.com/sp-registry/sp/internal/secret"
)

// joinLetters are 32 letters and digits of which no two look alike; userLetters are those without
// vowels, so that no code is a word.
const (
	joinLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	userLetters = "BCDFGHJKLMNPQRSTVWXZ"
)

// JoinCode makes a code of 80 bits by which a user begins: as it is shown, and the hash that is kept.
func JoinCode(random io.Reader) (shown, hash string, err error) {
	code, err := letters(random, joinLetters, 16)
	if err != nil {
		return "", "", err
	}
	return code[:4] + "-" + code[4:8] + "-" + code[8:12] + "-" + code[12:], secret.Hash(code), nil
}

// letters draws n of an alphabet of at most 32, each as likely as the others.
func letters(random io.Reader, alphabet string, n int) (string, error) {
	var drawn strings.Builder
	var one [1]byte
	for drawn.Len() < n {
		if _, err := io.ReadFull(random, one[:]); err != nil {
			return "", err
		}
		if i := int(one[0] & 31); i < len(alphabet) {
			drawn.WriteByte(alphabet[i])
		}
	}
	return drawn.String(), nil
}

// plain is a code as it is compared: neither case, dashes nor blanks matter.
func plain(typed string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Pd, r) || unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, typed)
}

// userCode is how a code of a device is shown.
func userCode(code string) string { return code[:4] + "-" + code[4:] }

// unguessable makes a text of 32 random bytes.
func (l *Login) unguessable() (string, error) {
	var b [32]byte
	_, err := io.ReadFull(l.Random, b[:])
	return base64.RawURLEncoding.EncodeToString(b[:]), err
}

// cleanName is a name that a program gives to its machine, as a page may show it: what can be seen
// of it, and not too long.
func cleanName(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) && r != unicode.ReplacementChar {
			return r
		}
		return -1
	}, name)
	if runes := []rune(name); len(runes) > 64 {
		name = string(runes[:64])
	}
	return strings.TrimSpace(name)
}

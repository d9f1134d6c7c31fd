package provision

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"github.com/sp-registry/sp/internal/secret"
)

// NewPassword returns a password of 24 random bytes, in letters, digits, `-` and `_`.
func NewPassword(random io.Reader) (secret.Secret, error) {
	raw := make([]byte, 24)
	if _, err := io.ReadFull(random, raw); err != nil {
		return secret.Secret{}, fmt.Errorf("new password: %w", err)
	}
	return secret.New(base64.RawURLEncoding.EncodeToString(raw)), nil
}

// rounds is what PostgreSQL itself makes verifiers with.
const rounds = 4096

// verifier returns what a server keeps of a password, so that only that is sent to it:
// SCRAM-SHA-256$4096:SALT$STOREDKEY:SERVERKEY.
func verifier(password secret.Secret, random io.Reader) (string, error) {
	salt := make([]byte, 16)
	if _, err := io.ReadFull(random, salt); err != nil {
		return "", fmt.Errorf("new password: %w", err)
	}
	return verifierWith(password, salt, rounds)
}

// verifierWith is the one of that salt and so many rounds.
func verifierWith(password secret.Secret, salt []byte, rounds int) (string, error) {
	text := password.Reveal()
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", fmt.Errorf("new password: empty, or holds other characters than those of ASCII: %w", ErrInvalid)
	}
	return scram(text, salt, rounds)
}

// scram is RFC 7677; a password of ASCII is what SASLprep would make of it.
func scram(password string, salt []byte, rounds int) (string, error) {
	salted, err := pbkdf2.Key(sha256.New, password, salt, rounds, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("new password: %w", err)
	}
	stored := sha256.Sum256(keyed(salted, "Client Key"))
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", rounds, encode(salt), encode(stored[:]), encode(keyed(salted, "Server Key"))), nil
}

func keyed(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

package registry

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
)

// redacted stands wherever a secret would otherwise be printed.
const redacted = "[secret]"

// Secret is a value that must not be printed: a connection URL, a token. It
// redacts itself in every formatting verb, in JSON and in slog; only Reveal
// tells it. It holds a closure because fmt reads strings, even unexported ones,
// by reflection, and stops at a func. The zero Secret is the empty string.
type Secret struct{ f func() string }

// NewSecret returns a Secret that holds s.
func NewSecret(s string) Secret { return Secret{f: func() string { return s }} }

// Reveal returns the secret itself. A test lists its callers.
func (s Secret) Reveal() string {
	if s.f == nil {
		return ""
	}
	return s.f()
}

// Empty tells whether the secret is the empty string.
func (s Secret) Empty() bool { return s.Reveal() == "" }

// Equal tells whether both secrets hold the same text.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// Format writes the redaction, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// String returns the redaction.
func (s Secret) String() string { return redacted }

// MarshalText returns the redaction, so that JSON and YAML show nothing else.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns the redaction.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// equalSecrets compares two optional secrets; absent and empty differ.
func equalSecrets(a, b *Secret) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

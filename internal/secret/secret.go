// Package secret is a value that never shows.
package secret

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
	"strings"
)

// Redacted stands wherever a secret would otherwise be printed.
const Redacted = "[secret]"

// Secret is a value that must not be printed: a connection URL, a token. It
// redacts itself in every formatting verb, in JSON and in slog; only Reveal
// tells it. It holds a closure because fmt reads strings, even unexported ones,
// by reflection, and stops at a func. The zero Secret is the empty string.
type Secret struct{ f func() string }

// New returns a Secret that holds s.
func New(s string) Secret { return Secret{f: func() string { return s }} }

// Optional returns a Secret that holds an optional text, nil for none.
func Optional(text *string) *Secret {
	if text == nil {
		return nil
	}
	s := New(*text)
	return &s
}

// Reveal returns the secret itself. A test lists its callers.
func (s Secret) Reveal() string {
	if s.f == nil {
		return ""
	}
	return s.f()
}

// Empty tells whether the secret is the empty string.
func (s Secret) Empty() bool { return s.Reveal() == "" }

// Holds tells whether a text is part of the secret.
func (s Secret) Holds(text string) bool { return strings.Contains(s.Reveal(), text) }

// Equal tells whether both secrets hold the same text.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// Equal compares two optional secrets; absent and empty differ.
func Equal(a, b *Secret) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

// Format writes the redaction, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Redacted)) }

// String returns the redaction.
func (s Secret) String() string { return Redacted }

// MarshalText returns the redaction, so that JSON and YAML show nothing else.
func (s Secret) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// LogValue returns the redaction.
func (s Secret) LogValue() slog.Value { return slog.StringValue(Redacted) }

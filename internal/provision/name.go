package provision

import (
	"fmt"
	"io"
	"strings"
)

// NewName returns a name for a tenant's database that nobody guesses to be free: sp_, what
// can be used of the tenant's name, and six random letters and digits.
func NewName(tenant string, random io.Reader) (string, error) {
	tail, err := letters(6, random)
	if err != nil {
		return "", fmt.Errorf("name of a database: %w", err)
	}
	return "sp_" + slug(tenant) + "_" + tail, nil
}

// slug returns the ASCII letters and digits of a text in lower case, at most 40, with one
// underscore for whatever stands between them.
func slug(text string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(text) {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			gap = b.Len() > 0
			continue
		}
		if b.Len() >= 39 && gap || b.Len() >= 40 {
			break
		}
		if gap {
			b.WriteByte('_')
		}
		gap = false
		b.WriteRune(r)
	}
	if b.Len() == 0 {
		return "tenant"
	}
	return b.String()
}

// letters returns n of [a-z0-9], each as likely as the others.
func letters(n int, random io.Reader) (string, error) {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	var text []byte
	for one := make([]byte, 1); len(text) < n; {
		if _, err := io.ReadFull(random, one); err != nil {
			return "", err
		}
		if int(one[0]) < 256/len(alphabet)*len(alphabet) {
			text = append(text, alphabet[int(one[0])%len(alphabet)])
		}
	}
	return string(text), nil
}

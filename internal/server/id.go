package server

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"

	"github.com/sp-registry/sp/internal/pgurl"
)

// newID returns a random UUID (RFC 9562, version 4), as the original's control plane names tenants.
func newID(random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", err
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}

var idForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`) })

// IsID tells whether a text has the form of an id. Another one in its place may be a secret.
func IsID(text string) bool { return idForm().MatchString(text) }

// onlyID is a text that has the form of an id, and nothing in place of another one.
func onlyID(text string) string {
	if !IsID(text) {
		return ""
	}
	return text
}

// harmless is a word that somebody typed as it may be repeated: not one that was meant as a secret.
func harmless(word string) string {
	if pgurl.IsMisplaced(word) {
		return "***"
	}
	return word
}

// loggedPath is the path of a request without what is no word of the API's, and no id.
func loggedPath(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if !IsID(part) && !isWord(part) {
			parts[i] = "***"
		}
	}
	return strings.Join(parts, "/")
}

// isWord tells whether a text can be one of our words, or the code of a region.
func isWord(text string) bool {
	const longest = 32
	return len(text) <= longest && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") == ""
}

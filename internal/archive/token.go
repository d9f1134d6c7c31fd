package archive

import (
	"bytes"
	"regexp"
	"sync"

	"github.com/sp-registry/sp/internal/secret"
)

// tokens find what looks like a token of the control plane: by its beginning, with more behind that
// than any word has, and by its whole form.
var (
	token      = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`sp_(pat|sync)_[A-Za-z0-9_-]{20}`) })
	wholeToken = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`sp_(pat|sync)_[A-Za-z0-9_-]{49}`) })
)

// tokenLine returns the number of the first line of a profile.yaml that holds a token, 0 for none.
func tokenLine(text []byte) int {
	at := token().FindIndex(text)
	if at == nil {
		return 0
	}
	return lineAt(text, at[0])
}

// trueTokenLine is tokenLine of any file, which may show what a token looks like: only one with the
// right checksum counts.
func trueTokenLine(text []byte) int {
	for _, at := range wholeToken().FindAllIndex(text, -1) {
		found := string(text[at[0]:at[1]])
		if secret.CheckToken(secret.PersonalToken, found) || secret.CheckToken(secret.SyncToken, found) {
			return lineAt(text, at[0])
		}
	}
	return 0
}

func lineAt(text []byte, at int) int { return 1 + bytes.Count(text[:at], []byte("\n")) }

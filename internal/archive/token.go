package archive

import (
	"regexp"
	"strings"
	"sync"
)

// token is how a token of the control plane begins, with more behind that than any word has.
var token = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`sp_(pat|sync)_[A-Za-z0-9_-]{20}`) })

// tokenLine returns the number of the first line that holds a token, 0 for none.
func tokenLine(text string) int {
	at := token().FindStringIndex(text)
	if at == nil {
		return 0
	}
	return 1 + strings.Count(text[:at[0]], "\n")
}

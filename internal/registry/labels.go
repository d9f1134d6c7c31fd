package registry

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sp-registry/sp/internal/pgurl"
)

// maxName bounds, in bytes, what sp itself lets be called something.
const maxName = 255

// checkLabel holds the rule for ids and names that sp creates. Control and format
// characters (bidirectional marks, zero width) are refused because a name that
// shows as another one sends a command to the wrong database. What an imported
// file holds is kept as it is.
func checkLabel(what, text string) error {
	if len(text) > maxName {
		return fmt.Errorf("%s: longer than %d bytes: %w", what, maxName, ErrInvalid)
	}
	if pgurl.IsConnection(text) {
		return fmt.Errorf("%s: is a way to a database, and names are shown everywhere: %w", what, ErrInvalid)
	}
	return checkText(what, text)
}

// checkText holds the rule for every text that sp creates; a token may be longer than
// a name.
func checkText(what, text string) error {
	bad := func(why string) error { return fmt.Errorf("%s: %s: %w", what, why, ErrInvalid) }
	switch {
	case text == "":
		return bad("empty")
	case !utf8.ValidString(text):
		return bad("not UTF-8")
	case strings.TrimSpace(text) != text:
		return bad("starts or ends with a space")
	case strings.ContainsFunc(text, isUnseen):
		return bad("holds a control or invisible character")
	case hasFlood(text):
		return bad(fmt.Sprintf("holds more than %d combining marks in a row", maxMarks))
	}
	return nil
}

// isUnseen tells whether r shows as nothing, or moves what shows: controls, line
// ends, format characters, and what Unicode lets a font leave out.
func isUnseen(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// maxMarks is how many combining marks may sit on one letter. Every script in use
// does with fewer; a flood of them covers the lines above and below.
const maxMarks = 4

func hasFlood(text string) bool {
	marks := 0
	for _, r := range text {
		if !unicode.Is(unicode.M, r) {
			marks = 0
		} else if marks++; marks > maxMarks {
			return true
		}
	}
	return false
}

// checkID holds the rule for a tenant id that sp creates: a label that can also
// be given as an argument.
func checkID(id TenantID) error {
	if strings.HasPrefix(string(id), "-") {
		return fmt.Errorf("tenant id: starts with a dash: %w", ErrInvalid)
	}
	if strings.HasPrefix(string(id), OnlyID) {
		return fmt.Errorf("tenant id: starts with %s, which says that the rest is an id: %w", OnlyID, ErrInvalid)
	}
	return checkLabel("tenant id", string(id))
}

// CheckProfileName tells whether a profile may have that name: it is a directory
// and an argument, so ASCII letters, digits, `-` and `_`, not starting with `-`.
func CheckProfileName(name string) error {
	bad := func(why string) error { return fmt.Errorf("profile name: %s: %w", why, ErrInvalid) }
	switch {
	case name == "":
		return bad("empty")
	case len(name) > maxName:
		return bad(fmt.Sprintf("longer than %d bytes", maxName))
	case name[0] == '-':
		return bad("starts with a dash")
	}
	for _, r := range name {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (r < '0' || r > '9') && r != '-' && r != '_' {
			return bad("only ASCII letters, digits, - and _ are allowed")
		}
	}
	return nil
}

package pgurl

import (
	"errors"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/secret"
)

// A URL may come from a stranger, in a tenants.json that was cloned, and with it files that are named there. These
// are the parameters by which libpq does more for it than connect:
//
//   - sslkey with a colon is ENGINE:KEY, and an engine is a library that is loaded, by whatever path;
//   - sslkeylogfile, from version 18 on, is a file to which it writes;
//   - servicefile, from version 18 on, is a file that says all of this.
//
// The other files that a URL may name (certificates, a key, revocations, passwords) are read, and nothing of them
// is run. sp's own login knows no engine and writes to no file.
var harmful = []string{"sslkey", "sslkeylogfile", "servicefile"}

// harm refuses a URL by which libpq would do more than connect. sslinline makes a key's text of sslkey, and libpq
// does not take a URL that has it.
func (u URL) harm() error {
	switch {
	case strings.Contains(u.said["sslkey"], ":") && !u.IsForDriver("sslkey"):
		return errors.New("has a parameter sslkey with a colon, for which libpq loads a library (a key in a file has a path without one)")
	case u.said["sslkeylogfile"] != "":
		return errors.New("has a parameter sslkeylogfile, for which libpq writes the connection's keys to a file")
	}
	return nil
}

// IsHarmful tells of a URL whether libpq, given it, might do more than connect. Of what sp can't read, libpq may
// read more.
func IsHarmful(url secret.Secret) bool {
	u, err := Parse(url)
	if err != nil {
		text := unescape(url.Reveal())
		return slices.ContainsFunc(harmful, func(name string) bool { return strings.Contains(text, name) })
	}
	return u.harm() != nil
}

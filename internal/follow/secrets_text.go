package follow

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// secretMember is a secret by its name in a profile's secrets.json.
type secretMember struct {
	Name  string
	Value secret.Secret
}

// The members of secrets.json that come first in a new one, and those that the
// original writes as null where there is no secret.
var (
	secretOrder = []string{"jwt_secret", "database_url", "gemini", "anthropic", "openai", "internal_database_url", "sync_token"}
	secretNulls = []string{"gemini", "anthropic", "openai"}
)

// secretNames are the members that the original knows: each at most once, a string, or
// null where it may be absent.
var secretNames = append(slices.Clone(secretOrder), "database_write_url", "github")

// readSecrets returns the members of a secrets.json that are strings, in their order.
// No text has none. Its errors are ErrUnusable.
func readSecrets(text []byte) ([]secretMember, error) {
	file, err := parseSecrets(text)
	if err != nil {
		return nil, err
	}
	var members []secretMember
	for _, m := range file {
		if value, ok := jsontext.Text(m.Value); ok {
			members = append(members, secretMember{Name: m.Name, Value: secret.New(value)})
		}
	}
	return members, nil
}

func parseSecrets(text []byte) (jsontext.Object, error) {
	if len(text) == 0 {
		return nil, nil
	}
	file, err := parseObject(text, secretNames...)
	if err != nil {
		return nil, err
	}
	for _, m := range file {
		if m.Value[0] != '"' && m.Value != "null" && slices.Contains(secretNames, m.Name) {
			return nil, corrupt("%s is not a string", m.Name)
		}
	}
	return file, nil
}

// baseOfSecrets returns what the members say by themselves, to compare with later.
func baseOfSecrets(members []secretMember) []byte {
	return []byte(secretObject(members).Compact())
}

// secretObject writes the members in the order of a new file.
func secretObject(members []secretMember) jsontext.Object {
	members = slices.Clone(members)
	slices.SortStableFunc(members, func(a, b secretMember) int {
		if byPlace := placeOf(a.Name) - placeOf(b.Name); byPlace != 0 {
			return byPlace
		}
		return strings.Compare(a.Name, b.Name)
	})
	var o jsontext.Object
	for _, m := range members {
		o = append(o, jsontext.Member{Name: m.Name, Value: jsontext.Quote(m.Value.Reveal())})
	}
	return o
}

func placeOf(name string) int {
	if place := slices.Index(secretOrder, name); place >= 0 {
		return place
	}
	return len(secretOrder)
}

// writeSecrets returns the text of a secrets.json that holds ours. Over an existing one it
// puts what differs between ours and base, which baseOfSecrets made of what sp wrote last,
// and leaves all else, in value, order and, if nothing differs, in every byte. Members
// that the file changed and ours, too, stay as the file has them and are told by their
// names; with existing's own members for base, ours hold. A URL with stars in place of
// its password never replaces a real one, nor is it kept for one.
func writeSecrets(existing, base []byte, ours []secretMember) (text []byte, conflicts []string, err error) {
	file, err := parseSecrets(existing)
	if err != nil {
		return nil, nil, err
	}
	old, err := parseSecrets(base)
	if err != nil {
		return nil, nil, fmt.Errorf("what was written last: %w", err)
	}
	for _, m := range ours {
		if !utf8.ValidString(m.Name) || !utf8.ValidString(m.Value.Reveal()) {
			return nil, nil, fmt.Errorf("secret %q: %w: it is not UTF-8", m.Name, registry.ErrInvalid)
		}
	}
	now := secretObject(ours)
	if len(existing) == 0 {
		return withNulls(now).Pretty(), nil, nil
	}
	merged, conflicts := putMembers(file, old, now)
	if merged.Compact() == file.Compact() {
		return existing, conflicts, nil
	}
	return merged.Pretty(), conflicts, nil
}

// withNulls puts null in the places of the secrets that the original always writes.
func withNulls(now jsontext.Object) jsontext.Object {
	for _, name := range secretNulls {
		if now.Value(name) == "" {
			now = append(now, jsontext.Member{Name: name, Value: "null"})
		}
	}
	return now.In(secretOrder...)
}

// putMembers puts what differs between old and now into the file.
func putMembers(file, old, now jsontext.Object) (_ jsontext.Object, conflicts []string) {
	for _, m := range now {
		switch decideSecret(file.Value(m.Name), old.Value(m.Name), m.Value) {
		case takeOurs:
			file = file.With(m.Name, m.Value)
		case ask:
			conflicts = append(conflicts, m.Name)
		}
	}
	for _, m := range old {
		theirs := file.Value(m.Name)
		switch {
		case now.Value(m.Name) != "", isNone(theirs):
		case theirs != m.Value && !isMasked(theirs):
			conflicts = append(conflicts, m.Name)
		case slices.Contains(secretNulls, m.Name):
			file = file.With(m.Name, "null")
		default:
			file = file.Without(m.Name)
		}
	}
	return file, conflicts
}

type decision int

const (
	leaveTheirs decision = iota
	takeOurs
	ask
)

// decideSecret says what becomes of a member that the file, base and the registry have
// these values for, "" for none.
func decideSecret(theirs, base, ours string) decision {
	switch {
	case theirs == ours:
		return leaveTheirs
	case isMasked(theirs) && !isMasked(ours):
		return takeOurs
	case isMasked(ours) && !isNone(theirs):
		return leaveTheirs
	case base == "" && isNone(theirs), theirs == base:
		return takeOurs
	case ours == base:
		return leaveTheirs
	}
	return ask
}

func isNone(value string) bool { return value == "" || value == "null" }

func isMasked(value string) bool {
	text, ok := jsontext.Text(value)
	return ok && pgurl.IsMasked(secret.New(text))
}

const alphanumerics = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// NewJWTSecret returns 64 random ASCII letters and digits, all equally likely.
func NewJWTSecret(random io.Reader) (secret.Secret, error) {
	const fair = 256 / len(alphanumerics) * len(alphanumerics) // above it, some would come up more often
	text := make([]byte, 0, 64)
	var drawn [96]byte
	for len(text) < cap(text) {
		if _, err := io.ReadFull(random, drawn[:]); err != nil {
			return secret.Secret{}, err
		}
		for _, b := range drawn {
			if int(b) < fair && len(text) < cap(text) {
				text = append(text, alphanumerics[int(b)%len(alphanumerics)])
			}
		}
	}
	return secret.New(string(text)), nil
}

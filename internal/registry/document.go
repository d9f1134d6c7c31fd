package registry

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/secret"
)

// Document is what tenants.json holds beside its tenants.
type Document struct {
	SyncedAt time.Time
	Unknown  Unknown
}

// IsStale tells whether the last sync is strictly more than maxAge before now; a
// sync in the future is never stale.
func (d Document) IsStale(now time.Time, maxAge time.Duration) bool {
	return now.Sub(d.SyncedAt) > maxAge
}

// secrets returns what of a document the history may not hold.
func (d Document) secrets() map[string]secret.Secret {
	if d.Unknown.Empty() {
		return nil
	}
	return map[string]secret.Secret{unknownMembers: d.Unknown.text}
}

// FormatTime writes an instant as chrono does, and so as tenants.json holds it:
// RFC 3339 in UTC with `Z` and 0, 3, 6 or 9 digits of a second, the fewest that
// are exact. Go's RFC3339Nano trims to any number of digits and will not do.
func FormatTime(t time.Time) string {
	t = t.UTC()
	text := t.Format("2006-01-02T15:04:05")
	switch ns := t.Nanosecond(); {
	case ns == 0:
		return text + "Z"
	case ns%1_000_000 == 0:
		return fmt.Sprintf("%s.%03dZ", text, ns/1_000_000)
	case ns%1_000 == 0:
		return fmt.Sprintf("%s.%06dZ", text, ns/1_000)
	default:
		return fmt.Sprintf("%s.%09dZ", text, ns)
	}
}

// ParseTime reads an RFC 3339 instant whose date and time are parted by `T` or
// one space, with `Z` or an offset. Digits past the nanosecond are cut off, as
// chrono cuts them; a leap second and a year outside 0001 to 9999 in UTC are refused.
func ParseTime(text string) (time.Time, error) {
	const shape = "0000-00-00T00:00:00"
	if len(text) <= len(shape) || !hasShape(text[:len(shape)], shape) {
		return time.Time{}, errors.New("time is not RFC 3339 (YYYY-MM-DDThh:mm:ssZ)")
	}
	fraction, zone := cutFraction(text[len(shape):])
	if zone == "z" {
		zone = "Z"
	}
	if zone != "Z" && !hasShape(zone, "+00:00") || zone != "Z" && (zone[1:3] > "23" || zone[4:] > "59") {
		return time.Time{}, errors.New("time has no zone (Z or +hh:mm)")
	}
	t, err := time.Parse("2006-01-02T15:04:05.999999999Z07:00", text[:10]+"T"+text[11:len(shape)]+fraction+zone)
	if err != nil {
		return time.Time{}, errors.New("time is out of range")
	}
	t = t.UTC()
	if t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, errors.New("time is outside the years 0001 to 9999")
	}
	return t, nil
}

// hasShape tells whether text has a digit where shape has one, either sign for a
// `+`, `T`, `t` or a space for a `T`, and shape's own character elsewhere.
func hasShape(text, shape string) bool {
	if len(text) != len(shape) {
		return false
	}
	for i := range len(shape) {
		allowed := shape[i : i+1]
		switch allowed {
		case "0":
			allowed = "0123456789"
		case "+":
			allowed = "+-"
		case "T":
			allowed = "Tt "
		}
		if !strings.Contains(allowed, text[i:i+1]) {
			return false
		}
	}
	return true
}

// cutFraction splits what follows the seconds into at most nine digits of
// fraction, with their point, and the zone.
func cutFraction(rest string) (fraction, zone string) {
	if !strings.HasPrefix(rest, ".") {
		return "", rest
	}
	end := 1
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	if end == 1 {
		return "", rest
	}
	return rest[:min(end, 10)], rest[end:]
}

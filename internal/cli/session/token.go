package session

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// claims are what a token says of itself, if it is a JWT. Nobody has checked its
// signature: they describe a session, and open nothing.
type claims struct {
	issuer, email, user, userType, session string
	expires                                *time.Time
}

// claimsOf reads a token; what is no JWT has none.
func claimsOf(token secret.Secret) (claims, bool) {
	parts := strings.Split(token.Reveal(), ".")
	if len(parts) != 3 {
		return claims{}, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	var members map[string]any
	if err != nil || json.Unmarshal(payload, &members) != nil || members == nil {
		return claims{}, false
	}
	text := func(names ...string) string {
		for _, name := range names {
			if value, ok := members[name].(string); ok && value != "" {
				return value
			}
		}
		return ""
	}
	c := claims{issuer: text("iss"), email: text("email"), user: text("sub"), userType: text("user_type"), session: text("session_id", "sid")}
	if seconds, ok := members["exp"].(float64); ok {
		c.expires = instantOf(seconds)
	}
	return c, true
}

// lastSecond is the end of the year 9999, the last that a file can tell.
const lastSecond = 253402300799

func instantOf(seconds float64) *time.Time {
	whole := math.Floor(min(max(seconds, 0), lastSecond))
	at := time.Unix(int64(whole), 0).UTC()
	return &at
}

// userTypes are those that the original knows; it can't read a file with another.
var userTypes = []string{"admin", "user", "a2a", "mcp", "service", "anon", "unknown"}

func userTypeOf(claim string) string {
	switch {
	case claim == "":
		return "admin"
	case slices.Contains(userTypes, claim):
		return claim
	}
	return "unknown"
}

// completeIDs makes up what the token does not say; the context of the tenant's earlier
// session goes on.
func completeIDs(random io.Reader, n *registry.Authentication, known *registry.Session) error {
	if known != nil && known.Authentication != nil {
		n.ContextID = known.Authentication.ContextID
	}
	for _, id := range []struct {
		is     *string
		prefix string
	}{{&n.UserID, "user_"}, {&n.SessionID, "sess_"}, {&n.ContextID, ""}} {
		if *id.is != "" {
			continue
		}
		uuid, err := newUUID(random)
		if err != nil {
			return err
		}
		*id.is = id.prefix + uuid
	}
	return nil
}

// newUUID returns a random one, of version 4.
func newUUID(random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", err
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return fmt.Sprintf("%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:]), nil
}

package login

import (
	"context"
	"slices"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"github.com/sp-registry/sp/db/server"
)

// every is all scopes; a program that asks for none asks for these.
const every = "read write secrets admin"

// ofRole are the scopes that a role may have.
var ofRole = map[string]string{"admin": every, "member": "read write secrets", "reader": "read"}

// cut leaves of the scopes asked those that are allowed.
func cut(asked, allowed string) string {
	wanted := strings.Fields(asked)
	return strings.Join(slices.DeleteFunc(strings.Fields(allowed), func(scope string) bool {
		return !slices.Contains(wanted, scope)
	}), " ")
}

// person is somebody who signed in, and the personal token by which, nil for a join code.
type person struct {
	userID  string
	tokenID *string
}

// holder is what a program may do that acts for a person: the scopes, the only tenants, if that is
// not all, and until when.
type holder struct {
	user            server.User
	tokenID         *string
	scopes, tenants string
	until           int64
}

// event begins to tell what was done for the holder.
func (h holder) event(action, outcome string) Event {
	e := Event{UserID: h.user.ID, UserName: h.user.Name, Action: action, Outcome: outcome}
	if h.tokenID != nil {
		e.TokenID = *h.tokenID
	}
	return e
}

// may looks what a program that asked for scopes may do for a person now. It is asked again for each
// token, because roles change, and personal tokens end.
func (l *Login) may(ctx context.Context, q *server.Queries, p person, asked string) (holder, *oidc.Error, error) {
	h := holder{tokenID: p.tokenID, until: l.in(accessLife)}
	var err error
	if h.user, err = q.User(ctx, p.userID); err != nil && !server.IsMissing(err) {
		return h, nil, err
	}
	if !h.user.Active {
		return h, oidc.ErrInvalidGrant().WithDescription("this user is not active"), nil
	}
	h.scopes = cut(asked, ofRole[h.user.Role])
	if p.tokenID != nil {
		token, err := q.Token(ctx, *p.tokenID)
		if err != nil && !server.IsMissing(err) {
			return h, nil, err
		}
		if err != nil || token.ExpiresAt != nil && *token.ExpiresAt <= l.micros() {
			return h, oidc.ErrInvalidGrant().WithDescription("the personal token of this login is no longer valid"), nil
		}
		h.scopes, h.tenants = cut(h.scopes, token.Scopes), token.Tenants
		if h.tenants != "" {
			h.scopes = cut(h.scopes, ofRole["member"]) // users and the audit are those of all tenants
		}
		if token.ExpiresAt != nil {
			h.until = min(h.until, *token.ExpiresAt)
		}
	}
	if h.scopes == "" {
		return h, oidc.ErrInvalidScope().WithDescription("this user may use none of the scopes asked for"), nil
	}
	return h, nil, nil
}

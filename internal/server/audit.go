package server

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/registry"
)

// act is something that the audit tells of: what was done, with which tenant.
type act struct {
	action string // such as tenant.create
	tenant registry.TenantID
	target string // the user, token or region with which it was done
}

// actions are what the audit calls an operation that was refused before it began: the same as where it
// was not. The others only look, at what is no secret.
var actions = map[string]string{
	"tenantCredentials": "credentials.read", "rotateCredentials": "credentials.rotate", "rotateSyncToken": "sync-token.rotate",
	"createTenant": "tenant.create", "editTenant": "tenant.edit", "deleteTenant": "tenant.delete", "retryProvision": "tenant.retry",
	"cancelSubscription": "tenant.cancel", "externalAccess": "tenant.external",
	"putFiles": "files.put", "createToken": "token.create", "deleteToken": "token.delete", "users": "user.list", "editUser": "user.edit", "audit": "audit.read",
}

// actOf is what somebody wanted to do by an operation, with what the path names.
func actOf(o *huma.Operation, id string) act {
	a := act{action: actions[o.OperationID]}
	if strings.HasPrefix(o.Path, "/api/v1/tenants/") {
		a.tenant = registry.TenantID(id)
	} else {
		a.target = onlyID(id)
	}
	return a
}

// note records an act of who asks, with its outcome: done, or the code of why it was not.
func (s *Server) note(ctx context.Context, a act, failure error) error {
	row := s.entry(ctx, a)
	row.Outcome = outcomeOf(failure)
	err := s.db.Write(context.WithoutCancel(ctx), func(q *rows.Queries) error { return q.InsertAudit(ctx, row) })
	if err == nil {
		hasNoted(ctx)
	}
	return err
}

// noteRefused records that an act was refused. What was done has its entry in the same change.
func (s *Server) noteRefused(ctx context.Context, a act, failure error) error {
	if failure == nil {
		return nil
	}
	return s.noted(ctx, a, failure)
}

// noting tells whether a request has its entry.
type noting struct{ done bool }

func hasNoted(ctx context.Context) {
	if n, ok := ctx.Value(notedKey).(*noting); ok {
		n.done = true
	}
}

// noteAnswer is behind every answer to somebody who is known: a refusal that has no entry yet gets one here, such
// as that of a body which is not as it is described. Nothing was done then, so the answer stays.
func (s *Server) noteAnswer(c huma.Context) {
	ctx, n, o := c.Context(), c.Context().Value(notedKey).(*noting), c.Operation()
	if n.done || c.Status() < http.StatusBadRequest || actions[o.OperationID] == "" {
		return
	}
	if err := s.note(ctx, actOf(o, c.Param("id")), problem(c.Status(), codeOf(c.Status()), "")); err != nil {
		s.Log.ErrorContext(ctx, "a refusal is not in the audit", "request", requestID(ctx), "error", err)
	}
}

// noted records an act beside its effect, and returns why either failed. What could not be recorded
// has to fail: an audit with holes is none.
func (s *Server) noted(ctx context.Context, a act, failure error) error {
	if err := s.note(ctx, a, failure); err != nil {
		return errors.Join(failure, err)
	}
	return failure
}

func outcomeOf(failure error) string {
	var p *Problem
	switch {
	case failure == nil:
		return "done"
	case errors.As(failure, &p):
		return p.Err.Code
	}
	for _, r := range refusals {
		if errors.Is(failure, r.err) {
			return r.code
		}
	}
	return "failed"
}

// entry is a row of the audit, but for its outcome. What was wanted is there only if it can be no secret
// that somebody put in the wrong place: an audit is kept for ever. Without somebody who asks it is this machine's
// operator, at the command line of spd, or spd itself.
func (s *Server) entry(ctx context.Context, a act) rows.InsertAuditParams {
	row := rows.InsertAuditParams{
		At: s.Now().UnixMicro(), UserName: "spd", Action: a.action, TenantID: onlyID(string(a.tenant)), RequestID: requestID(ctx), Outcome: "done",
	}
	if !pgurl.IsMisplaced(a.target) {
		row.Target = a.target
	}
	row.Address, _ = ctx.Value(addressKey).(string)
	if p, ok := ctx.Value(principalKey).(*principal); ok {
		row.UserID, row.UserName, row.TokenID = p.user.ID, p.String(), p.token.ID
	}
	return row
}

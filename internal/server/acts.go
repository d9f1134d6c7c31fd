package server

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	rows "github.com/sp-registry/sp/db/server"
)

// Act is an entry of the audit: who did what, from where, with which token, and how it went.
type Act struct {
	ID      int64     `json:"id"`
	At      time.Time `json:"at"`
	UserID  string    `json:"user_id"`
	User    string    `json:"user"`
	Token   string    `json:"token_id"`
	Address string    `json:"address"`
	Request string    `json:"request_id"`
	Action  string    `json:"action"`
	Tenant  string    `json:"tenant_id"`
	Target  string    `json:"target" doc:"the user, token or region with which it was done"`
	Outcome string    `json:"outcome"`
}

// ActsAsked says which entries of the audit are asked for: those before an entry, newest first.
type ActsAsked struct {
	Before int64  `query:"before" minimum:"1" doc:"only what is older than this entry"`
	Limit  int64  `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Tenant string `query:"tenant" maxLength:"64"`
	User   string `query:"user" maxLength:"64" doc:"a user's id"`
}

// audit is the operation that reads the audit.
func (s *Server) audit(api huma.API) {
	huma.Register(api, operation("audit", http.MethodGet, "/api/v1/audit", "who did what, newest first; never a secret", Admin, http.StatusUnprocessableEntity),
		func(ctx context.Context, in *ActsAsked) (*struct{ Body data[[]Act] }, error) {
			found, err := s.Acts(ctx, *in)
			return &struct{ Body data[[]Act] }{data[[]Act]{found}}, s.refused(ctx, err)
		})
}

// Acts reads the audit.
func (s *Server) Acts(ctx context.Context, asked ActsAsked) (found []Act, err error) {
	if asked.Before == 0 {
		asked.Before = math.MaxInt64
	}
	found = []Act{}
	err = s.db.Read(ctx, func(q *rows.Queries) error {
		if _, err := s.stillIn(ctx, q); err != nil {
			return err
		}
		list, err := actsIn(ctx, q, asked)
		for _, row := range list {
			found = append(found, Act{
				ID: row.ID, At: time.UnixMicro(row.At).UTC(), UserID: row.UserID, User: row.UserName, Token: row.TokenID, Address: row.Address,
				Request: row.RequestID, Action: row.Action, Tenant: row.TenantID, Target: row.Target, Outcome: row.Outcome,
			})
		}
		return err
	})
	return found, err
}

func actsIn(ctx context.Context, q *rows.Queries, asked ActsAsked) ([]rows.Audit, error) {
	switch {
	case asked.User != "" && asked.Tenant != "":
		return q.AuditOfBothBefore(ctx, rows.AuditOfBothBeforeParams{UserID: asked.User, TenantID: asked.Tenant, Before: asked.Before, Size: asked.Limit})
	case asked.User != "":
		return q.AuditOfUserBefore(ctx, rows.AuditOfUserBeforeParams{UserID: asked.User, Before: asked.Before, Size: asked.Limit})
	case asked.Tenant != "":
		return q.AuditOfTenantBefore(ctx, rows.AuditOfTenantBeforeParams{TenantID: asked.Tenant, Before: asked.Before, Size: asked.Limit})
	}
	return q.AuditBefore(ctx, rows.AuditBeforeParams{Before: asked.Before, Size: asked.Limit})
}

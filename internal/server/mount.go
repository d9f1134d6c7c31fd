package server

import (
	"context"
	"net/http"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/server/login"
)

// mountLogin puts the authorization server and its pages beside the API. What it does stands in the
// same audit.
func (s *Server) mountLogin(ctx context.Context, mux *http.ServeMux) (err error) {
	s.login, err = login.New(ctx, login.Options{DB: s.db, Issuer: s.origin(), Now: s.Now, Random: s.Random, Note: s.noteLogin})
	if err != nil {
		return err
	}
	pages := s.login.Handler()
	for _, path := range []string{"GET /{$}", "/.well-known/oauth-authorization-server", "/oauth/", "/login", "/login/", "/device"} {
		mux.Handle(path, pages)
	}
	return nil
}

// noteLogin records what somebody did at a page, or a program for somebody.
func (s *Server) noteLogin(ctx context.Context, e login.Event) {
	row := rows.InsertAuditParams{
		At: s.Now().UnixMicro(), UserID: e.UserID, UserName: e.UserName, TokenID: e.TokenID, Address: e.Address, RequestID: requestID(ctx),
		Action: e.Action, Outcome: e.Outcome,
	}
	ctx = context.WithoutCancel(ctx)
	if err := s.db.Write(ctx, func(q *rows.Queries) error { return q.InsertAudit(ctx, row) }); err != nil {
		s.Log.ErrorContext(ctx, "the audit could not be written", "action", e.Action, "error", err)
	}
}

package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// A request that must not take effect twice has an idempotency key. Its row stands before the effect
// and says by what that is known again. The same key again finds out by looking: what is done is
// answered from what is recorded, and what a dead process began is gone on with. No answer is kept,
// for there are secrets in it.

// CallKey is the header of an operation that takes a key.
type CallKey struct {
	Key string `header:"Idempotency-Key" minLength:"16" maxLength:"128" doc:"kept 24 h for its user: the same with another body is 422, while the first is under way 409 with Retry-After; done, the same answer again"`
}

// call is a request that takes effect once.
type call struct {
	operation string
	key       string // empty: it may take effect again
	request   any    // what is asked for; the same key means the same
	tenant    registry.TenantID
	effect    string // by which that of a rotation is known, empty before it has one
	done      bool   // it took effect
}

// callLife is how long a key is known.
const callLife = 24 * time.Hour

// once runs fn for a call that is not under way, and records its outcome. Again tells fn that the
// key was seen before: the effect may be there, in part or whole. Which calls are under way is known in
// memory alone: there is one process for a directory, and what could not be written keeps no key busy.
func (s *Server) once(ctx context.Context, c call, fn func(c call, again bool) error) error {
	ctx = context.WithoutCancel(ctx) // who does not wait for the answer asks again, and it has an end then
	if c.key == "" {
		return s.noted(ctx, act{action: c.operation, tenant: c.tenant}, fn(c, false))
	}
	c, again, err := s.begin(ctx, c)
	if err != nil {
		return s.noted(ctx, act{action: c.operation, tenant: c.tenant}, err)
	}
	defer s.calls.release(c.id(ctx))
	err = fn(c, again)
	if unrecorded := s.end(ctx, c, err); unrecorded != nil {
		return errors.Join(err, unrecorded)
	}
	return err
}

// callID is by which a call is known while it is under way.
type callID struct{ user, key string }

func (c call) id(ctx context.Context) callID { return callID{asking(ctx).user.ID, c.key} }

var errBusy = problem(http.StatusConflict, "busy", "the request with this key is still under way").with("Retry-After", "1")

// begin records a call, or finds the one that has its key. Without an error it is in hand then.
func (s *Server) begin(ctx context.Context, c call) (_ call, again bool, err error) {
	text, err := json.Marshal(c.request)
	if err != nil {
		return c, false, err
	}
	user, request := asking(ctx).user.ID, secret.Hash(c.operation+" "+string(text))
	busy := s.calls.take(c.id(ctx)) != nil
	defer func() {
		if err != nil && !busy {
			s.calls.release(c.id(ctx))
		}
	}()
	err = s.db.Write(ctx, func(q *rows.Queries) error {
		found, err := q.Call(ctx, rows.CallParams{UserID: user, Key: c.key})
		switch {
		case rows.IsMissing(err) && busy: // who has it in hand has not written it yet
			return errBusy
		case rows.IsMissing(err):
			return q.InsertCall(ctx, rows.InsertCallParams{
				UserID: user, Key: c.key, Operation: c.operation, Request: request, TenantID: string(c.tenant), MadeAt: s.Now().UnixMicro(),
			})
		case err != nil:
			return err
		}
		again, c.done = true, found.Done
		c.tenant, c.effect = registry.TenantID(found.TenantID), found.Effect
		switch {
		case found.Request != request:
			return invalid("Idempotency-Key", "this key was used for another request")
		case busy:
			return errBusy
		}
		return nil
	})
	return c, again, err
}

// putEffect records by what the effect of a call is known, just before it is there.
func (s *Server) putEffect(ctx context.Context, c call, effect string) error {
	if c.key == "" {
		return nil
	}
	user := asking(ctx).user.ID
	return s.db.Write(ctx, func(q *rows.Queries) error {
		return q.PutCallEffect(ctx, rows.PutCallEffectParams{UserID: user, Key: c.key, Effect: effect})
	})
}

// end records how a call went. One that failed may be tried again.
func (s *Server) end(ctx context.Context, c call, failure error) error {
	entry := s.entry(ctx, act{action: c.operation, tenant: c.tenant})
	entry.Outcome = outcomeOf(failure)
	user := asking(ctx).user.ID
	err := s.db.Write(ctx, func(q *rows.Queries) error {
		err := q.InsertAudit(ctx, entry)
		if failure == nil {
			return errors.Join(err, q.EndCall(ctx, rows.EndCallParams{UserID: user, Key: c.key}))
		}
		return err
	})
	if err == nil {
		hasNoted(ctx)
	}
	return err
}

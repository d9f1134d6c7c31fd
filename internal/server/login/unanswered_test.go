package login

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/db/server"
)

// TestOfLoginsThatNobodyAnswersTheNewestAreKept: anybody can begin as many as he likes.
func TestOfLoginsThatNobodyAnswersTheNewestAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	first, allowed, pushed, b := w.browser(), w.device(), w.device(), w.browser()
	oldest := w.page(first)
	require.Contains(t, w.answer(allowed, "ann", "allow").body, "You are done here")
	w.wait(time.Second)
	w.write(func(q *server.Queries) error {
		for i := range unanswered - 1 {
			id, later := fmt.Sprint(i), w.clock().Add(requestLife).UnixMicro()
			err := errors.Join(
				q.InsertLoginRequest(t.Context(), server.InsertLoginRequestParams{ID: id, RedirectURL: callback, Challenge: "c", ExpiresAt: later}),
				q.InsertDevice(t.Context(), server.InsertDeviceParams{Hash: id, UserCode: id, ExpiresAt: later, PollAfter: 1}))
			if err != nil {
				return err
			}
		}
		return nil
	})
	require.Equal(t, http.StatusOK, w.get(first, oldest.at.RequestURI()).status)
	w.wait(time.Second)
	newest, page := w.device(), w.page(b)
	require.Equal(t, http.StatusNotFound, w.get(first, oldest.at.RequestURI()).status)
	require.Equal(t, http.StatusOK, w.get(b, page.at.RequestURI()).status)
	w.requireRefused(w.poll(pushed), "invalid_grant")
	w.requireRefused(w.poll(newest), "authorization_pending")
	require.Equal(t, http.StatusOK, w.poll(allowed).status, "what was allowed is nobody's to push out")
	require.Equal(t, unanswered, w.counts()["login_requests"])
	require.Equal(t, unanswered+1, w.counts()["devices"])

	w.wait(requestLife)
	w.page(b)
	require.Equal(t, 1, w.counts()["login_requests"], "those that are over make room, too")
}

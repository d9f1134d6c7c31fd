package login

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/secret"
)

// pollAfter is how long a program waits between two questions; each one that comes too early makes it
// longer. early is what a network may shorten it by.
const pollAfter, early = 5 * time.Second, time.Second

// DeviceAuthorization keeps what a program asks that cannot open a browser.
func (a authority) DeviceAuthorization(ctx context.Context, r *op.ClientRequest[oidc.DeviceAuthorizationRequest]) (*op.Response, error) {
	scopes := strings.Join(r.Data.Scopes, " ")
	if len(r.Data.Scopes) == 0 {
		scopes = every
	}
	if scopes = cut(scopes, every); scopes == "" {
		return nil, oidc.ErrInvalidScope().WithDescription("the scopes are %s", every)
	}
	code, err := a.unguessable()
	if err != nil {
		return nil, answered(err)
	}
	device := server.InsertDeviceParams{
		Hash: secret.Hash(code), Scopes: scopes, Hostname: cleanName(r.Form.Get("hostname")), Address: addressOf(ctx),
		MadeAt: a.micros(), ExpiresAt: a.in(requestLife), PollAfter: pollAfter.Microseconds(),
	}
	err = a.DB.Write(ctx, func(q *server.Queries) (err error) {
		if err := q.KeepNewestUnallowedDevices(ctx, unanswered-1); err != nil {
			return err
		}
		if device.UserCode, err = a.freeUserCode(ctx, q); err != nil {
			return err
		}
		return q.InsertDevice(ctx, device)
	})
	if err != nil {
		return nil, answered(err)
	}
	page, shown := a.Issuer+"/device", userCode(device.UserCode)
	return op.NewResponse(&oidc.DeviceAuthorizationResponse{
		DeviceCode: code, UserCode: shown, VerificationURI: page, VerificationURIComplete: page + "?user_code=" + shown,
		ExpiresIn: int(requestLife.Seconds()), Interval: int(pollAfter.Seconds()),
	}), nil
}

var errNoFreeCode = errors.New("no free code was drawn")

// freeUserCode draws a code that no other device has.
func (a authority) freeUserCode(ctx context.Context, q *server.Queries) (string, error) {
	for range 8 {
		code, err := letters(a.Random, userLetters, 8)
		if err != nil {
			return "", err
		}
		if taken, err := q.HasDevice(ctx, code); err != nil || taken == 0 {
			return code, err
		}
	}
	return "", errNoFreeCode
}

// DeviceToken says whether a person answered, and gives the tokens once; again, if that answer was lost.
func (a authority) DeviceToken(ctx context.Context, r *op.ClientRequest[oidc.DeviceAccessTokenRequest]) (*op.Response, error) {
	return a.change(ctx, func(q *server.Queries) (answer, error) { return a.poll(ctx, q, secret.Hash(r.Data.DeviceCode)) })
}

func (a authority) poll(ctx context.Context, q *server.Queries, hash string) (answer, error) {
	device, err := q.Device(ctx, hash)
	switch {
	case server.IsMissing(err):
		return invalidGrant("the device code is not known"), nil
	case err != nil:
		return answer{}, err
	case device.Session != nil:
		return a.answerAgain(ctx, q, device)
	case device.Answer == "denied":
		return answer{refusal: oidc.ErrAccessDenied()}, nil
	case device.ExpiresAt <= a.micros():
		return answer{refusal: oidc.ErrExpiredDeviceCode()}, nil
	case device.Answer == "none":
		return a.haveWait(ctx, q, device)
	}
	session, got, err := a.begin(ctx, q, person{*device.UserID, device.TokenID}, device.Scopes, device.Hostname)
	if err != nil || session == "" {
		return got, err
	}
	return got, q.UseDevice(ctx, server.UseDeviceParams{Hash: hash, Session: &session, PolledAt: a.micros()})
}

// answerAgain gives other tokens of the same login to a program that did not get the first, as a refresh
// does: for a moment, until one of them came back, and no more often than it may ask.
func (a authority) answerAgain(ctx context.Context, q *server.Queries, device server.Device) (answer, error) {
	login, err := q.Login(ctx, *device.Session)
	if err != nil && !server.IsMissing(err) {
		return answer{}, err
	}
	if err != nil || login.Used > 0 || a.micros()-device.PolledAt > grace.Microseconds() {
		return invalidGrant("the device code was used"), nil
	}
	h, refusal, err := a.may(ctx, q, person{login.UserID, login.TokenID}, login.Scopes)
	if err != nil || refusal != nil {
		return answer{refusal: refusal}, err
	}
	since := a.micros() - device.PolledAt
	if since < device.PollAfter-early.Microseconds() {
		return answer{refusal: oidc.ErrSlowDown()}, nil
	}
	if err := q.PollDevice(ctx, server.PollDeviceParams{Hash: device.Hash, PolledAt: device.PolledAt, PollAfter: since + pollAfter.Microseconds()}); err != nil {
		return answer{}, err
	}
	tokens, err := a.issue(ctx, q, h, login.Session, login.Hostname, 1)
	return answer{tokens: tokens, event: h.event("login", "answered again")}, err
}

func (a authority) haveWait(ctx context.Context, q *server.Queries, device server.Device) (answer, error) {
	refusal := oidc.ErrAuthorizationPending()
	if a.micros()-device.PolledAt < device.PollAfter-early.Microseconds() {
		refusal = oidc.ErrSlowDown()
		device.PollAfter += pollAfter.Microseconds()
	}
	err := q.PollDevice(ctx, server.PollDeviceParams{Hash: device.Hash, PolledAt: a.micros(), PollAfter: device.PollAfter})
	return answer{refusal: refusal}, err
}

package login

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/secret"
)

const noDevice = "No login waits for this code. It is good for 10 minutes and for one answer. Check it, or run sp login --device again."

// showDevice asks for the code that a program shows, then whether it may act for the person.
func (l *Login) showDevice(w http.ResponseWriter, r *http.Request) {
	b, err := l.browserOf(w, r)
	if err != nil {
		l.fail(w, r, err)
		return
	}
	typed := plain(r.URL.Query().Get("user_code"))
	if typed == "" {
		l.show(w, r, http.StatusOK, "code.html", page{})
		return
	}
	var device server.Device
	err = l.DB.Read(r.Context(), func(q *server.Queries) (err error) {
		device, err = l.device(r.Context(), q, typed)
		return err
	})
	l.showDeviceAsks(w, r, b, device, http.StatusOK, "", err)
}

func (l *Login) device(ctx context.Context, q *server.Queries, code string) (server.Device, error) {
	return q.WaitingDevice(ctx, server.WaitingDeviceParams{UserCode: code, Now: l.micros()})
}

func (l *Login) showDeviceAsks(w http.ResponseWriter, r *http.Request, b browser, device server.Device, status int, wrong string, err error) {
	switch {
	case server.IsMissing(err):
		l.show(w, r, http.StatusNotFound, "code.html", page{Wrong: noDevice})
		return
	case err != nil:
		l.fail(w, r, err)
		return
	}
	scopes := device.Scopes
	if b.person != nil {
		scopes = cut(scopes, b.scopes)
	}
	l.show(w, r, status, "device.html", page{
		Hostname: device.Hostname, Scopes: meanings(scopes), User: b.name, Wrong: wrong, AtOnce: !l.remembers(),
		UserCode: userCode(device.UserCode), Token: b.token("device " + device.UserCode),
		Address: device.Address, Since: time.UnixMicro(device.MadeAt).UTC().Format("15:04:05 UTC"),
	})
}

// answerDevice takes a person's answer about a device, or signs them in first.
func (l *Login) answerDevice(w http.ResponseWriter, r *http.Request) {
	b, err := l.browserOf(w, r)
	if err != nil {
		l.fail(w, r, err)
		return
	}
	code := plain(r.PostFormValue("user_code"))
	if !b.sent(r, "device "+code) {
		l.tellStale(w, r)
		return
	}
	var device server.Device
	again, err := l.act(w, r, func(q *server.Queries) (_ outcome, err error) {
		if device, err = l.device(r.Context(), q, code); err != nil {
			return outcome{}, err
		}
		if err := l.recognise(r.Context(), q, &b); err != nil {
			return outcome{}, err
		}
		return l.decideDevice(r.Context(), q, b, device, r.PostForm)
	})
	if err != nil || again != "" {
		l.showDeviceAsks(w, r, b, device, http.StatusForbidden, again, err)
	}
}

func (l *Login) decideDevice(ctx context.Context, q *server.Queries, b browser, device server.Device, form url.Values) (outcome, error) {
	asks := "/device?user_code=" + userCode(device.UserCode)
	switch action := form.Get("action"); {
	case action == "sign-in":
		return l.enter(ctx, q, b, form,
			func() (outcome, error) { return l.refuseDeviceCode(ctx, q, device) },
			func(p person) (outcome, error) {
				if !l.remembers() { // the page has said what it allows
					return l.allowDevice(ctx, q, p, device)
				}
				h, _, err := l.may(ctx, q, p, every)
				return outcome{redirect: asks, event: h.event("sign in", "done")}, err
			})
	case action == "sign-out":
		cookie, err := l.unguessable()
		return outcome{redirect: asks, cookie: cookie}, errors.Join(err, q.DeleteBrowser(ctx, secret.Hash(b.cookie)))
	case action == "deny" && !l.remembers():
		return denied(Event{Action: "allow device", Outcome: "denied"}), q.DenyDevice(ctx, device.Hash)
	case b.person == nil:
		return outcome{again: notSignedIn}, nil
	case action == "allow":
		return l.allowDevice(ctx, q, *b.person, device)
	}
	return l.denyDevice(ctx, q, *b.person, device)
}

// refuseDeviceCode asks again, or ends the login of a device that got too many wrong codes.
func (l *Login) refuseDeviceCode(ctx context.Context, q *server.Queries, device server.Device) (outcome, error) {
	wrong, since, over := l.countWrong(device.Wrong, device.WrongSince)
	if over {
		return outcome{title: "This login is over", text: "There were too many wrong codes. Run sp login --device again.", event: wrongEvent}, q.DenyDevice(ctx, device.Hash)
	}
	err := q.CountWrongOfDevice(ctx, server.CountWrongOfDeviceParams{Hash: device.Hash, Wrong: wrong, WrongSince: since})
	return outcome{again: wrongCode, event: wrongEvent}, err
}

func (l *Login) allowDevice(ctx context.Context, q *server.Queries, p person, device server.Device) (outcome, error) {
	h, refusal, err := l.may(ctx, q, p, device.Scopes)
	if err != nil {
		return outcome{}, err
	}
	if refusal != nil {
		return outcome{title: "This is not allowed", text: "Nothing was done: " + refusal.Description + ".", event: h.event("allow device", "refused")}, nil
	}
	return outcome{
		title: "You are done here", text: "sp can act for you now. Close this page and go back to the terminal.", event: h.event("allow device", "done"),
	}, q.AllowDevice(ctx, server.AllowDeviceParams{Hash: device.Hash, UserID: &p.userID, TokenID: p.tokenID})
}

func (l *Login) denyDevice(ctx context.Context, q *server.Queries, p person, device server.Device) (outcome, error) {
	h, _, err := l.may(ctx, q, p, device.Scopes) // who says no need not be allowed to
	return denied(h.event("allow device", "denied")), errors.Join(err, q.DenyDevice(ctx, device.Hash))
}

func denied(e Event) outcome {
	return outcome{
		title: "Nothing was allowed", text: "sp cannot act for you. If you did not start this login, somebody else did: tell whoever runs this control plane.",
		event: e,
	}
}

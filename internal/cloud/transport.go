package cloud

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// How long the control plane may take: until it is connected, until it begins to answer or goes on, and for
// all of an answer that is no stream.
const (
	dials   = 5 * time.Second
	stalls  = 15 * time.Second
	silence = 45 * time.Second // of a stream, which has heartbeats
	whole   = time.Minute
	archive = 5 * time.Minute // that is sent or comes
)

func newTransport(c *Client) http.RoundTripper {
	if c.Offline != nil {
		return offline{c.Offline}
	}
	dialer := &net.Dialer{Timeout: dials}
	t := &http.Transport{
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    dials,
		ResponseHeaderTimeout:  c.Patience,
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true,
		IdleConnTimeout:        time.Minute,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.roots, Time: c.Now},
	}
	if c.base.Scheme == "http" {
		dialer.Control = onlyLoopback
		return t
	}
	if c.Proxy != nil {
		t.Proxy = func(r *http.Request) (*url.URL, error) { return c.Proxy(r.URL) }
	}
	return t
}

// offline asks nobody.
type offline struct{ why error }

func (o offline) RoundTrip(*http.Request) (*http.Response, error) { return nil, o.why }

// errNotLoopback is returned where localhost leads to another machine.
var errNotLoopback = errors.New("plain http is for this machine only")

func onlyLoopback(_, address string, _ syscall.RawConn) error {
	if at, err := netip.ParseAddrPort(address); err == nil && !at.Addr().IsLoopback() {
		return errNotLoopback
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// Why a request ends whose answer is too slow.
var (
	// errStalled ends a body that brings nothing for too long.
	errStalled = errors.New("its answer stopped halfway")
	// errSlow ends a request that is not over after too long, though something comes now and then.
	errSlow = errors.New("its answer takes too long")
)

// bound ends a request that takes longer than its kind may, unless the returned function is called first. A
// stream may take for ever.
func (c *Client) bound(r request, end context.CancelCauseFunc) (release context.CancelCauseFunc) {
	if r.stream {
		return end
	}
	most := whole
	if r.limit > maxAnswer {
		most = archive
	}
	most = cmp.Or(c.most, most)
	timer := time.AfterFunc(most, func() { end(errSlow) })
	return func(cause error) {
		timer.Stop()
		end(cause)
	}
}

// watched is a body whose request ends if it brings nothing for a while.
type watched struct {
	io.ReadCloser
	ctx      context.Context // of the request
	end      context.CancelCauseFunc
	patience time.Duration
	timer    *time.Timer
}

func watch(ctx context.Context, body io.ReadCloser, end context.CancelCauseFunc, patience time.Duration) io.ReadCloser {
	timer := time.AfterFunc(patience, func() { end(errStalled) })
	return &watched{ReadCloser: body, ctx: ctx, end: end, patience: patience, timer: timer}
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if n > 0 {
		w.timer.Reset(w.patience)
	}
	if cause := context.Cause(w.ctx); cause != nil && err != nil && err != io.EOF {
		err = cause
	}
	return n, err
}

func (w *watched) Close() error {
	w.timer.Stop()
	err := w.ReadCloser.Close()
	w.end(nil)
	return err
}

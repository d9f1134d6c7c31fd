package cloud

import (
	"context"
	"net/http/httptrace"
	"sync/atomic"
)

// Reach returns a context for requests, and a function that tells whether one of them may have reached
// anybody. If it says no, nothing was sent: no connection was there to send it with.
func Reach(ctx context.Context) (_ context.Context, reached func() bool) {
	var connected atomic.Bool
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}), connected.Load
}

package cloud

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// How often a request is sent, and how long a client waits between two tries: a random part of a
// span that doubles, or what the control plane asks for.
const (
	mostTries     = 5
	firstPause    = 250 * time.Millisecond
	longestPause  = 8 * time.Second
	mostPatience  = 30 * time.Second // with a Retry-After
	streamPause   = 2 * time.Second  // between two looks at a status
	mostReconnect = 3                // of a stream that brings nothing
)

// repeat calls try until it succeeds, its error is final, or it was tried often enough.
func (c *Client) repeat(ctx context.Context, r request, try func(context.Context) error) error {
	for tries := 1; ; tries++ {
		err := try(ctx)
		if told, ok := errors.AsType[*Error](err); ok {
			told.Repeated = tries > 1
		}
		if err == nil || tries == mostTries || !r.repeatable() || !isPassing(err) || ctx.Err() != nil {
			return err
		}
		pause, failed := c.pause(tries, err)
		if failed != nil {
			return failed
		}
		if ended := c.Sleep(ctx, pause); ended != nil {
			return c.failed(ctx, ended)
		}
	}
}

// isPassing tells whether the same request may succeed a little later.
func isPassing(err error) bool {
	var told *Error
	if errors.As(err, &told) {
		switch told.Status {
		case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true
		case http.StatusConflict: // the first request with this key is still under way
			return told.retryAfter > 0
		}
		return false
	}
	var cut *transportError
	return errors.As(err, &cut) && cut.passing
}

// pause is how long to wait after a try.
func (c *Client) pause(tries int, err error) (time.Duration, error) {
	span := min(firstPause<<(tries-1), longestPause)
	jitter, failed := c.jitter(span)
	var told *Error
	if errors.As(err, &told) && told.retryAfter > 0 {
		return max(min(told.retryAfter, mostPatience), jitter), failed
	}
	return jitter, failed
}

// jitter is a random part of a span.
func (c *Client) jitter(span time.Duration) (time.Duration, error) {
	var b [8]byte
	if _, err := io.ReadFull(c.Random, b[:]); err != nil {
		return 0, err
	}
	return time.Duration(binary.BigEndian.Uint64(b[:]) % uint64(span)), nil
}

// retryAfter reads a Retry-After: seconds, or a date. 0 is none.
func (c *Client) retryAfter(header http.Header) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 {
		return max(time.Duration(min(seconds, int(mostPatience/time.Second)))*time.Second, time.Millisecond)
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(c.Now()), time.Millisecond), mostPatience)
}

// sleep waits, unless the context ends.
func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
)

// Weather is a proxy that does harm to a third of the requests.
type Weather struct {
	Behind http.Handler
	// Kinds are the ways in which a request goes wrong; nil for all of Faults.
	Kinds []string
	// Seen counts them.
	Seen map[string]int
	// RetryAfter is how long, in seconds, it asks to wait; empty for 7.
	RetryAfter string

	mu     sync.Mutex
	chance *rand.Rand
	next   []string
}

// Faults are the ways in which a request goes wrong. Each may come before the server has acted, or behind
// that.
var Faults = []string{"close", "cut", "stall", "stall within", "401", "429", "500", "502", "503", "504", "garbage", "garbage 404", "redirect"}

// Change has what comes go wrong as a seed says.
func (f *Weather) Change(seed int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.chance = rand.New(rand.NewPCG(uint64(seed), 1)) //nolint:gosec // no secret, and seeds are not negative
}

// Next has the requests that come now go wrong in these ways, each in its turn.
func (f *Weather) Next(faults ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next = faults
}

// Cut is what Seen calls a stream that was cut while there was more to come.
const Cut = "cut in a stream"

func (f *Weather) choose(stream bool) (fault string, acts bool, cut float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.next) > 0 {
		fault, f.next = f.next[0], f.next[1:]
		f.Seen[fault]++
		return fault, false, 0
	}
	kinds := f.Kinds
	if kinds == nil {
		kinds = Faults
	}
	if f.chance != nil && stream && (f.Seen[Cut] == 0 || f.chance.IntN(2) == 0) { // one is, in each test
		return "cut", true, f.chance.Float64()
	}
	if f.chance == nil || f.chance.IntN(3) > 0 {
		return "", true, 0
	}
	fault = kinds[f.chance.IntN(len(kinds))]
	if strings.HasPrefix(fault, "stall") && f.chance.IntN(4) > 0 { // they take a while
		fault = "close"
	}
	acts = f.chance.IntN(2) == 0 || fault == "cut" || fault == "stall within"
	if fault == "401" || fault == "429" {
		acts = false
	}
	f.Seen[fault]++
	return fault, acts, f.chance.Float64()
}

// ServeHTTP answers as the server does, or worse.
func (f *Weather) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	stream := strings.HasSuffix(r.URL.Path, "/events")
	fault, acts, cut := f.choose(stream)
	if fault == "" {
		f.Behind.ServeHTTP(w, r)
		return
	}
	if stream && (fault == "cut" || fault == "stall within") {
		f.cutStream(w, r, int(cut*3), fault == "stall within")
	}
	answer := httptest.NewRecorder()
	if acts {
		inner := r.Clone(context.WithoutCancel(r.Context()))
		f.Behind.ServeHTTP(answer, inner)
	}
	body := answer.Body.Bytes()
	part := body[:int(cut*float64(len(body)))]
	switch fault {
	case "close":
		panic(http.ErrAbortHandler)
	case "cut", "stall within":
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
		w.WriteHeader(answer.Code)
		_, _ = w.Write(part)
		_ = http.NewResponseController(w).Flush()
		if fault == "stall within" {
			<-r.Context().Done()
		}
		panic(http.ErrAbortHandler)
	case "stall":
		_, _ = io.Copy(io.Discard, r.Body) // else the server does not see that the client has gone
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case "garbage":
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html>Please sign in to the network sp_pat_canary</html>")
	case "garbage 404":
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusNotFound)
	case "redirect":
		http.Redirect(w, r, "http://captive.example/", http.StatusFound)
	default:
		f.refuse(w, fault)
	}
}

func (f *Weather) refuse(w http.ResponseWriter, fault string) {
	status, _ := strconv.Atoi(fault)
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", cmp.Or(f.RetryAfter, "7"))
	}
	if status == http.StatusBadGateway {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<html>Bad gateway</html>")
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"title":"no","status":%d,"detail":"upstream postgres://u:canary@h/d said no","error":{"code":"unavailable","message":"not now sp_sync_canary"}}`, status)
}

// cutStream lets some events of a stream through as they happen, and half of the one behind them. Then it
// ends, or says nothing more.
func (f *Weather) cutStream(w http.ResponseWriter, r *http.Request, whole int, stalls bool) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	c := &cutter{ResponseWriter: w, whole: whole, cancel: cancel}
	c.pass(f.Behind, r.WithContext(ctx))
	if c.done {
		f.mu.Lock()
		f.Seen[Cut]++
		f.mu.Unlock()
	}
	if stalls {
		<-r.Context().Done()
	}
	panic(http.ErrAbortHandler)
}

// cutter is an answer that is cut behind some flushes.
type cutter struct {
	http.ResponseWriter
	whole  int
	done   bool
	cancel func()
}

// pass answers as far as it may. A proxy breaks off where it can write no more.
func (c *cutter) pass(behind http.Handler, r *http.Request) {
	defer func() {
		if broke := recover(); broke != nil && broke != http.ErrAbortHandler {
			panic(broke)
		}
	}()
	behind.ServeHTTP(c, r)
}

var errCut = errors.New("the stream is cut")

func (c *cutter) Write(b []byte) (int, error) {
	switch {
	case c.done:
		return 0, errCut
	case c.whole > 0:
		return c.ResponseWriter.Write(b)
	}
	_, _ = c.ResponseWriter.Write(b[:len(b)/2])
	c.done, c.whole = true, 1
	c.Flush()
	c.cancel()
	return len(b) / 2, errCut
}

func (c *cutter) Flush() {
	c.whole--
	_ = http.NewResponseController(c.ResponseWriter).Flush()
}

package harness

import (
	"context"
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

	mu     sync.Mutex
	chance *rand.Rand
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

func (f *Weather) choose() (fault string, acts bool, cut float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	kinds := f.Kinds
	if kinds == nil {
		kinds = Faults
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
	fault, acts, cut := f.choose()
	if fault == "" {
		f.Behind.ServeHTTP(w, r)
		return
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
		w.Header().Set("Retry-After", "7")
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

package server

import (
	"context"
	"sync"
)

// held knows what somebody in this process has in hand, each thing by what names it. The zero value is ready.
type held[K comparable] struct {
	mu sync.Mutex
	by map[K]chan struct{} // closed when it is let go
}

// take takes a thing, or returns a channel that is closed when the one who has it lets go.
func (h *held[K]) take(k K) (busy <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if other, ok := h.by[k]; ok {
		return other
	}
	if h.by == nil {
		h.by = map[K]chan struct{}{}
	}
	h.by[k] = make(chan struct{})
	return nil
}

// wait takes a thing once it is free.
func (h *held[K]) wait(ctx context.Context, k K) error {
	for busy := h.take(k); busy != nil; busy = h.take(k) {
		select {
		case <-busy:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// release lets go of a thing.
func (h *held[K]) release(k K) {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.by[k])
	delete(h.by, k)
}

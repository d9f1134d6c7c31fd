package db

import (
	"context"
	"math"
	"sync"
)

// span is how many rowids one reader takes at a time, and pieces how many spans may be
// read before their turn: what a scan takes of memory.
const (
	span   = 128
	pieces = 4
)

// relay hands out spans to readers and takes what they make of them back in order. A
// reader takes a buffer first and its span after that, so that the span whose turn it
// is always has one.
type relay struct {
	Scan
	ctx     context.Context
	stop    context.CancelFunc
	readers []*cursor
	running sync.WaitGroup
	free    chan []byte
	done    [pieces]chan result

	mu    sync.Mutex
	taken int   // spans
	start int64 // of the next one
	over  bool  // there is no row from start on
}

// result is what became of one span.
type result struct {
	Piece
	last bool // nothing is behind it, or it is where reading failed
}

func newRelay(ctx context.Context, s Scan) *relay {
	r := &relay{Scan: s, free: make(chan []byte, pieces), start: math.MinInt64}
	r.ctx, r.stop = context.WithCancel(ctx)
	for i := range r.done {
		r.free <- nil
		r.done[i] = make(chan result, 1)
	}
	return r
}

// deliver yields the pieces in order.
func (r *relay) deliver(yield func(Piece) bool) {
	for _, c := range r.readers {
		r.running.Go(func() { r.read(c) })
	}
	for turn := 0; ; turn++ {
		var got result
		select {
		case got = <-r.done[turn%pieces]:
		case <-r.ctx.Done():
			return
		}
		if len(got.Text) > 0 && !yield(got.Piece) || got.last {
			return
		}
		r.free <- got.Text
	}
}

// end waits for the readers, so that none of them keeps a change from its commit.
func (r *relay) end() {
	r.stop()
	r.running.Wait()
	for _, c := range r.readers {
		c.close()
	}
}

func (r *relay) read(c *cursor) {
	render := r.Render()
	for {
		select {
		case text := <-r.free:
			turn, from, ok := r.take()
			if !ok {
				return
			}
			r.done[turn%pieces] <- r.render(c, render, text[:0], from)
		case <-r.ctx.Done():
			return
		}
	}
}

func (r *relay) take() (turn int, from int64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	turn, from = r.taken, r.start
	r.taken++
	r.start += span
	return turn, from, !r.over
}

// skip notes that behind the spans that were taken the next row is at rowid.
func (r *relay) skip(rowid int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.start = max(r.start, rowid)
}

func (r *relay) finish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
}

func (r *relay) render(c *cursor, render Render, text []byte, from int64) result {
	failed := result{last: true}
	if c.seek(from) != nil {
		return failed
	}
	made := result{Piece: Piece{Last: from}}
	for {
		more, err := c.next()
		if err != nil {
			return failed
		}
		if !more {
			r.finish()
			made.Text, made.last = text, true
			return made
		}
		rowid := c.Int(0)
		if uint64(rowid)-uint64(from) >= span {
			r.skip(rowid)
			made.Text = text
			return made
		}
		made.Last = rowid
		if text, more = render(text, c); !more || c.failed {
			return failed
		}
	}
}

package place

// WithoutExchange is as on a file system that does not offer the exchange.
func WithoutExchange(o Options) Options {
	o.noExchange = true
	return o
}

// PlaceUntilLook is Place of a program that is killed before it looks at what came out.
func (w *Waiting) PlaceUntilLook(was Seen) error {
	_, err := w.change(was.IsThere())
	return err
}

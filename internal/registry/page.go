package registry

import (
	"iter"
)

// Page is a part of a list: at most Limit rows, all if it is 0, from the one
// behind After on.
type Page struct {
	After string
	Limit int
}

// batch is how many rows are read at once; it bounds memory, not the answer.
const batch = 256

// stream yields what fetch returns, a batch at a time, until a batch is not full
// or limit rows, if it is not 0, were yielded.
func stream[T any](limit int, fetch func(size int64) ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		left := limit
		for {
			size := batch
			if limit > 0 {
				size = min(size, left)
			}
			rows, err := fetch(int64(size))
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
			left -= len(rows)
			if len(rows) < size || limit > 0 && left == 0 {
				return
			}
		}
	}
}

// convert yields what to makes of each row; the first error ends it.
func convert[R, T any](rows iter.Seq2[R, error], to func(R) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for row, err := range rows {
			var t T
			if err == nil {
				t, err = to(row)
			}
			if !yield(t, err) || err != nil {
				return
			}
		}
	}
}

package db

import (
	"context"
	"io/fs"
	"iter"
	"os"
	"runtime"
)

// Row is one row of a scan; what it returns is gone with it.
type Row interface {
	Text(column int) []byte // nil for NULL
	Int(column int) int64
}

// Scan is a query that reads a table by its rowid, which is the query's first column
// and, from which on to read, its one parameter. Each reader asks for a Render of its own.
type Scan struct {
	Query  string
	Render func() Render
}

// Render appends what a row becomes; false ends the scan, for the row makes no sense.
type Render func(text []byte, row Row) ([]byte, bool)

// Piece is what some rows became, and the rowid of the last. Its text is valid until
// the next one is asked for.
type Piece struct {
	Text []byte
	Last int64
}

// Scan yields pieces in the order of rowids, as long as all is well; see scan.
func (r *Read) Scan(ctx context.Context, s Scan) iter.Seq[Piece] {
	return scan(ctx, r.path, r.file, s)
}

// Scan yields pieces in the order of rowids, as long as all is well; see scan. The
// change must not have written to the table.
func (w *Write) Scan(ctx context.Context, s Scan) iter.Seq[Piece] {
	return scan(ctx, w.path, w.file, s)
}

// scan reads and renders with two readers at once, each on a connection of its own. It
// ends without a word when anything is not as it should be: who reads on in the plain
// way behind the last piece misses nothing, and meets what is wrong.
//
// It is called within a transaction that has read the file or locked it for writing.
// So all see one instant: with a rollback journal nobody can commit as long as anyone
// reads, and who opens the file meanwhile reads the same. That it is the same file is
// looked at after it was opened.
func scan(ctx context.Context, path string, file fs.FileInfo, s Scan) iter.Seq[Piece] {
	return func(yield func(Piece) bool) {
		if file == nil {
			return
		}
		r := newRelay(ctx, s)
		defer r.end()
		for range min(2, runtime.GOMAXPROCS(0)) {
			c, err := openCursor(path, s.Query)
			if err != nil {
				return
			}
			r.readers = append(r.readers, c)
		}
		if there, err := os.Lstat(path); err == nil && os.SameFile(there, file) {
			r.deliver(yield)
		}
	}
}

package archive

import (
	"archive/tar"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"slices"
	"time"
)

// Write writes the archive of a state. The same files always give the same bytes.
func Write(w io.Writer, files []File) error {
	if err := Check(files); err != nil {
		return err
	}
	sorted := slices.SortedFunc(slices.Values(files), func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	zipped := gzip.NewWriter(&boundedWriter{w: w, left: MaxBytes})
	entries := tar.NewWriter(zipped)
	for _, f := range sorted {
		if err := writeFile(entries, f); err != nil {
			return err
		}
	}
	if err := entries.Close(); err != nil {
		return err
	}
	return zipped.Close()
}

func writeFile(w *tar.Writer, f File) error {
	err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.Path, Size: int64(len(f.Text)), Mode: 0o644, ModTime: time.Unix(0, 0)})
	if err == nil {
		_, err = w.Write(f.Text)
	}
	return err
}

// boundedWriter is a writer that refuses more than that: no reader would take it.
type boundedWriter struct {
	w    io.Writer
	left int
}

func (b *boundedWriter) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, fmt.Errorf("the archive holds more than %d MiB: %w", MaxBytes>>20, ErrTooLarge)
	}
	return b.w.Write(p)
}

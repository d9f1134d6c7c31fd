package archive

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxStream bounds an archive when it is unzipped: its files, and for each entry a header, one more
// for a long path, that path, and zeros up to the next block.
const maxStream = MaxBytes + MaxEntries*(4*512+maxPath) + 64<<10

// Read reads the archive of a state, all of it or nothing. It stops as soon as a bound is exceeded,
// before what exceeds it is in memory.
func Read(r io.Reader) ([]File, error) {
	zipped := &bounded{r: r, left: MaxBytes}
	files, err := read(zipped)
	switch {
	case err == nil:
		return files, nil
	case zipped.err != nil:
		return nil, zipped.err
	case errors.Is(err, ErrRefused), errors.Is(err, ErrTooLarge):
		return nil, err
	}
	return nil, fmt.Errorf("no gzip'd tar: %w: %w", err, ErrRefused)
}

func read(zipped io.Reader) ([]File, error) {
	from := bufio.NewReader(zipped) // so that what follows the end is still there
	unzipped, err := gzip.NewReader(from)
	if err != nil {
		return nil, whole(err)
	}
	unzipped.Multistream(false)
	stream := &bounded{r: unzipped, left: maxStream}
	files, err := readEntries(tar.NewReader(stream))
	if err == nil {
		err = onlyZeros(stream)
	}
	switch {
	case errors.Is(stream.err, ErrTooLarge): // whatever was made of it on the way
		return nil, stream.err
	case err != nil:
		return nil, err
	}
	if _, err := from.ReadByte(); !errors.Is(err, io.EOF) {
		return nil, errors.Join(err, errors.New("something follows its end"))
	}
	return files, nil
}

// whole is the end of what was to go on.
func whole(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func readEntries(r *tar.Reader) ([]File, error) {
	c, files := newChecker(), []File{}
	for {
		header, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return files, nil
		case err != nil:
			return nil, err
		}
		if why := entryTrouble(header); why != "" {
			return nil, refuse(header.Name, why)
		}
		if header.Typeflag == tar.TypeDir {
			if err := c.directory(strings.TrimSuffix(header.Name, "/")); err != nil {
				return nil, err
			}
			continue
		}
		if err := c.path(header.Name, header.Size); err != nil {
			return nil, err
		}
		f := File{Path: header.Name}
		if f.Text, err = io.ReadAll(r); err != nil {
			return nil, err
		}
		if err := c.text(f); err != nil {
			return nil, err
		}
		files = append(files, f)
	}
}

// harmless are the records of a header's extension that change nothing that is kept, but for the
// path, which is checked as it says.
var harmless = []string{"path", "mtime", "atime", "ctime"}

// entryTrouble says why an entry is none of a file or a directory, or not plainly one.
func entryTrouble(header *tar.Header) string {
	if header.Typeflag != tar.TypeReg && header.Typeflag != tar.TypeDir {
		return kindOf(header.Typeflag)
	}
	if header.Format != tar.FormatUSTAR && header.Format != tar.FormatPAX {
		return "its header is not that of a POSIX tar (tar --format=posix)"
	}
	for record := range header.PAXRecords {
		if !slices.Contains(harmless, record) {
			return fmt.Sprintf("its header has the extension %.60q", record)
		}
	}
	return ""
}

// kinds are what an archive may not hold, as people call it.
var kinds = map[byte]string{
	tar.TypeLink: "a hard link", tar.TypeSymlink: "a symbolic link", tar.TypeChar: "a device", tar.TypeBlock: "a device",
	tar.TypeFifo: "a fifo", tar.TypeGNUSparse: "a sparse file", tar.TypeXGlobalHeader: "a header for all that follows",
}

func kindOf(flag byte) string {
	if kind, known := kinds[flag]; known {
		return "it is " + kind
	}
	return fmt.Sprintf("it is an entry of the unknown kind %q", flag)
}

// onlyZeros reads the padding behind the end of a tar.
func onlyZeros(r io.Reader) error {
	var block [8 << 10]byte
	for {
		n, err := r.Read(block[:])
		if strings.Trim(string(block[:n]), "\x00") != "" {
			return errors.New("something follows the end of the tar")
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// bounded is a reader that ends with ErrTooLarge instead of more than that, and remembers what its
// source failed of.
type bounded struct {
	r    io.Reader
	left int
	err  error
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.r.Read(p[:min(len(p), b.left+1)])
	if b.left -= n; b.left < 0 {
		n, err = 0, fmt.Errorf("the archive: %w", ErrTooLarge)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

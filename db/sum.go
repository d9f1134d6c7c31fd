package db

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/place"
)

// sumSide is the file beside a small registry that says what its last change left, which had checked
// it whole before. A reader that finds the same bytes has nothing to check. Whatever else is
// there, or is written by anything but a change of sp's, is checked by SQLite, as ever: so the sum
// need not outlast a power cut, and a wrong one costs time alone.
const sumSide = ".sum"

// isAsChanged tells whether the file at path holds what the last change left there, in the
// schema of this program. It is asked in a transaction, beside which nobody writes.
func isAsChanged(path string) bool {
	if !mayOpen.Load() {
		return false
	}
	said, err := reading(path+sumSide, func(r io.Reader) (string, error) { return readStart(r, 1<<10) })
	if err != nil || said == "" {
		return false
	}
	sum, err := sumOf(path)
	return err == nil && sum == said
}

// sumOf sums up a file: an error for one that is too large to be checked whole.
func sumOf(path string) (string, error) {
	return reading(path, func(r io.Reader) (string, error) {
		sum, size := uint32(0), 0
		for buffer := make([]byte, 16*pageSize); ; {
			n, err := r.Read(buffer)
			sum, size = crc32.Update(sum, crc32.IEEETable, buffer[:n]), size+n
			switch {
			case errors.Is(err, io.EOF):
				return fmt.Sprintf("schema %d, %d bytes, crc32 %08x\n", schemaVersion, size, sum), nil
			case err != nil:
				return "", err
			case size > checkedWhole*pageSize:
				return "", errTooLarge
			}
		}
	})
}

var errTooLarge = errors.New("too large to be checked whole")

// reading reads a plain file of this directory, if it is one. SQLite may have it open.
func reading(path string, read func(io.Reader) (string, error)) (text string, err error) {
	var file int
	err = place.IgnoringEINTR(func() (err error) {
		file, err = unix.Open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return "", err
	}
	defer func() { _ = unix.Close(file) }() // it was only read
	return read(descriptor(file))
}

// writeSum notes what a change left in the file at path. Where that fails, the next reader checks.
func writeSum(path string) {
	_ = os.Remove(path + sumSide)
	if info, err := os.Lstat(path); err != nil || info.Size() > checkedWhole*pageSize || !mayOpen.Load() {
		return
	}
	sum, err := sumOf(path)
	if err != nil {
		return
	}
	file, err := os.OpenFile(path+sumSide, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err == nil {
		_, _ = file.WriteString(sum)
		_ = file.Close()
	}
}

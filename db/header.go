package db

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/place"
)

// Where SQLite's file format keeps its magic and the application_id.
const (
	magic      = "SQLite format 3\x00"
	readsAt    = 19 // the version for reading, behind that for writing
	walFormat  = 2
	markAt     = 68
	headerSize = 100
)

// mayOpen tells whether opening and closing a database file beside SQLite is
// harmless: with POSIX locks, closing it would drop this process's own locks. Harden
// sets it where SQLite uses locks of the open file description.
var mayOpen atomic.Bool

// checkMark reads whose file it is before SQLite opens it, because opening is enough
// to change what is not ours: SQLite would roll back another application's journal
// and write its log into it. Our mark is in the file itself from its first commit on,
// before it has its name, and nothing changes it since; so a file without it is not
// ours, whatever a journal beside it may hold.
//
// It tells whether the file is in WAL mode, in which SQLite makes files beside it as soon
// as it is opened.
func checkMark(path string) (logged bool, err error) {
	if !mayOpen.Load() {
		return false, nil // the first read of SQLite's looks, too
	}
	var file int
	err = place.IgnoringEINTR(func() (err error) {
		file, err = unix.Open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return false, denied(path, &os.PathError{Op: "open", Path: path, Err: err})
	}
	defer func() { _ = unix.Close(file) }() // it was only read
	header, err := readHeader(descriptor(file))
	if errors.As(err, new(unix.Errno)) {
		err = &os.PathError{Op: "read", Path: path, Err: err}
	}
	return err == nil && (header[readsAt] == walFormat || header[readsAt-1] == walFormat), err
}

// descriptor is an open file without package os, whose first one sets up its waiting
// for all that can block: a command that only reads would do that for these bytes.
type descriptor int

func (d descriptor) Read(p []byte) (n int, err error) {
	err = place.IgnoringEINTR(func() (err error) {
		n, err = unix.Read(int(d), p)
		return err
	})
	if n == 0 && err == nil {
		err = io.EOF
	}
	return max(n, 0), err
}

// CheckHeader reads the beginning of a file, and refuses one that is no registry.
func CheckHeader(r io.Reader) error {
	_, err := readHeader(r)
	return err
}

func readHeader(r io.Reader) (header [headerSize]byte, err error) {
	if _, err := io.ReadFull(r, header[:]); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = ErrForeign
		}
		return header, err
	}
	if string(header[:len(magic)]) != magic || binary.BigEndian.Uint32(header[markAt:]) != applicationID {
		return header, ErrForeign
	}
	return header, nil
}

// hasMagic tells whether the file at path is a database of SQLite, whosever. No
// connection may have it open.
func hasMagic(path string) (bool, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false, denied(path, err)
	}
	defer func() { _ = file.Close() }() // it was only read
	start := make([]byte, len(magic))
	n, err := io.ReadFull(file, start)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return string(start[:n]) == magic, err
}

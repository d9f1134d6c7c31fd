package place

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// ErrUnsafe is returned for a path at which something else than a plain file stands.
var ErrUnsafe = errors.New("refused as unsafe: not a regular file")

// ErrForeign is returned for a path at which another user's file stands.
var ErrForeign = errors.New("refused as unsafe: another user's file")

// Seen is what stood at a path when it was looked at; the zero one is nothing.
type Seen struct {
	// Hash is the SHA-256 of its content in hexadecimal, Size how long that was.
	Hash string
	Size int64
	// Written is when it was written last, as the file system dates that.
	Written time.Time
	Mode    fs.FileMode
}

// IsThere tells whether something stood there.
func (s Seen) IsThere() bool { return s.Hash != "" }

// IsPrivate tells whether only the owner could reach it.
func (s Seen) IsPrivate() bool { return s.Mode.Perm()&0o077 == 0 }

// Look reads what stands at path. It opens nothing but a plain file of this user's.
func Look(path string) (Seen, error) {
	info, err := os.Lstat(path)
	if err == nil {
		err = check(path, info)
	}
	if err != nil {
		return Seen{}, ignoring(fs.ErrNotExist, err)
	}
	file, err := open(path)
	if err != nil {
		return Seen{}, ignoring(fs.ErrNotExist, err)
	}
	defer func() { _ = file.Close() }() // it was only read
	if info, err = file.Stat(); err == nil {
		err = check(path, info) // it may be another one by now
	}
	if err != nil {
		return Seen{}, err
	}
	s := Seen{Size: info.Size(), Written: info.ModTime(), Mode: info.Mode()}
	s.Hash, err = hashOf(file)
	return s, err
}

// check refuses what is not a plain file of this user's.
func check(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: %w", path, ErrUnsafe)
	}
	if !IsOwn(info) {
		return fmt.Errorf("%s: it belongs to user %d: %w", path, Owner(info), ErrForeign)
	}
	return nil
}

// checkAt is check of what stands at path, if anything does.
func checkAt(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return ignoring(fs.ErrNotExist, err)
	}
	return check(path, info)
}

// open opens a file to read it. It follows no link, and does not wait for the writer of
// a fifo that came there since somebody looked.
func open(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
}

// buffers hold what is hashed of a file: what follows a thousand tenants, in two reads.
var buffers = sync.Pool{New: func() any { return new([128 << 10]byte) }}

func hashOf(r io.Reader) (string, error) {
	sum, buffer := sha256.New(), buffers.Get().(*[128 << 10]byte)
	defer buffers.Put(buffer)
	if _, err := io.CopyBuffer(sum, struct{ io.Reader }{r}, buffer[:]); err != nil { // which a file would not use
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func ignoring(ignored, err error) error {
	if errors.Is(err, ignored) {
		return nil
	}
	return err
}

package workspace

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/registry"
)

// ErrUnsafe is returned for a destination that is not a plain file.
var ErrUnsafe = errors.New("refused as unsafe: not a regular file")

// ErrForeign is returned for a destination that is another user's.
var ErrForeign = errors.New("refused as unsafe: another user's file")

// destination is what stands where a file will be put; the zero one is nothing.
type destination struct {
	hash    string
	info    fs.FileInfo // of before it was read
	stamp   string      // likewise; see stampOf
	changed time.Time   // its last change, likewise
}

// Look is what stood at the place of a file when it was looked at; the zero one is none.
type Look struct {
	there destination
	taken bool
}

// look is lookAt but for what was looked at before and, as its stamp shows, not changed
// since. A change dated before the view's own beginning is over: no other has its date.
func (p Publisher) look(known *registry.File, view *registry.View) (destination, error) {
	if p.Look == nil {
		return lookAt(p.Path, known)
	}
	if before := p.Look.there; p.Look.taken && before.info != nil && before.changed.Before(view.Since()) && before.stamp == lastStamp(p.Path) {
		return before, nil
	}
	there, err := lookAt(p.Path, known)
	*p.Look = Look{there: there, taken: err == nil}
	return there, err
}

// lookAt looks at what stands at path, and reads it unless it is known by its stamp.
func lookAt(path string, known *registry.File) (destination, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return destination{}, nil
	}
	if err != nil {
		return destination{}, err
	}
	if !info.Mode().IsRegular() {
		return destination{}, fmt.Errorf("%s: %w", path, ErrUnsafe)
	}
	var stat unix.Stat_t
	if err := ignoringEINTR(func() error { return unix.Lstat(path, &stat) }); err != nil {
		return destination{}, &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	if int(stat.Uid) != os.Geteuid() {
		return destination{}, fmt.Errorf("%s: it belongs to user %d: %w", path, stat.Uid, ErrForeign)
	}
	there := destination{info: info, stamp: stampOf(&stat), changed: time.Unix(stat.Ctim.Unix())}
	if known != nil && known.Stamp != "" && known.Stamp == there.stamp {
		there.hash = known.Current
		return there, nil
	}
	there.hash, err = HashFile(path)
	return there, err
}

// isPrivate tells whether only the owner can reach it.
func (d destination) isPrivate() bool { return d.info.Mode().Perm()&0o077 == 0 }

// isStillAt tells whether nobody wrote there since. Who writes in place, at the
// same length, within one tick of the file system's clock, is not seen.
func (d destination) isStillAt(path string) bool {
	info, err := os.Lstat(path)
	if d.info == nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	return err == nil && d.is(info)
}

// is tells whether a file is this one, and was not written since, by its dates.
func (d destination) is(info fs.FileInfo) bool {
	return os.SameFile(info, d.info) && info.Size() == d.info.Size() && info.ModTime().Equal(d.info.ModTime())
}

// isOurs tells whether it is what the registry remembers having written last. Where
// a command was stopped before that was in place, what it left shows so, and what
// stood there before is still to be replaced; otherwise somebody else brought it back.
func (d destination) isOurs(file *registry.File, left []string) bool {
	return d.hash == file.Current || len(left) > 0 && d.hash == file.Previous
}

// HashFile returns the SHA-256 of a file's content in hexadecimal. It does not wait
// for the writer of a fifo.
func HashFile(path string) (string, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	_, err = io.Copy(sum, file)
	return hexOf(sum.Sum(nil)), errors.Join(err, file.Close())
}

func hexOf(sum []byte) string { return hex.EncodeToString(sum) }

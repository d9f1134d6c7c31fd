package project

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Temporary is a file that a command left behind because it was stopped.
type Temporary struct {
	// Path is relative to the directory.
	Path string
	Time time.Time
	// Outside is the file outside of the directory that it is the note of, if any.
	Outside string
}

// Free tells whether the file is one that commands make without holding the lock;
// the others go with the next change, under it.
func (t Temporary) Free() bool {
	return isNumbered(t.Path, ".gitignore.") || isNumbered(t.Path, ".sp-") ||
		isNumbered(t.Path, "docker/.shared.yaml.") || isNumbered(t.Path, "docker/.shared.env.") || isNumbered(t.Path, "docker/.shared_config.json.")
}

// Ours tells whether it has a name that this program gives.
func (t Temporary) Ours() bool {
	return t.Free() || isNumbered(t.Path, ".tenants.json.") || isNumbered(t.Path, ".file.") || isReplaced(t.Path) ||
		isNote(t.Path) || !strings.HasPrefix(filepath.Base(t.Path), ".")
}

// Kept tells whether it is what another program wrote while sp replaced its file.
func (t Temporary) Kept() bool { return strings.HasSuffix(t.Path, ".kept.tmp") }

// Of is the name of the file of which a kept one is another version.
func (t Temporary) Of() string {
	name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(t.Path), "."), ".kept.tmp")
	return strings.TrimSuffix(name, filepath.Ext(name))
}

// isReplaced tells whether it has the name that a file gets when another takes its place.
func isReplaced(path string) bool {
	name, number, out := strings.Cut(filepath.Base(path), ".old.")
	return out && strings.HasPrefix(name, ".") && isNumbered("."+number, ".")
}

// isNote tells whether a file is the note of one outside, as place.Outside makes it.
func isNote(path string) bool { return isNumbered(path, ".outside.") }

func isNumbered(name, prefix string) bool {
	digits, begins := strings.CutPrefix(name, prefix)
	digits, ends := strings.CutSuffix(digits, ".tmp")
	return begins && ends && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// Temporaries lists the temporary files of the directory. While a change is being
// made, they may be that one's.
func (d Dir) Temporaries() ([]Temporary, error) {
	var found []Temporary
	places := []string{".*.tmp", "docker/.*.tmp", "sessions/.*.tmp", "profiles/*/.*.tmp", "profiles/*/docker/.*.tmp", "sp.db.new*", "sp.db.bak.new*"}
	err := d.eachFile(places, func(path string, info fs.FileInfo) {
		t := Temporary{Path: path, Time: info.ModTime()}
		if isNote(path) {
			text, held := readNote(d.Full(path))
			if held {
				return
			}
			t.Outside = text
		}
		found = append(found, t)
	})
	return found, err
}

// readNote returns what a note names, and whether the command runs that made it.
func readNote(path string) (text string, held bool) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", false
	}
	defer func() { _ = file.Close() }() // it is only read
	if errors.Is(syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK) {
		return "", true
	}
	all, _ := io.ReadAll(io.LimitReader(file, 4096)) // without it, the note itself is told of
	return string(all), false
}

// RemoveTemporary removes a temporary file that is Free, by its path.
func (d Dir) RemoveTemporary(t Temporary) error {
	if !t.Free() {
		return fmt.Errorf("%s: %w: a command may be writing it", t.Path, ErrUnsafe)
	}
	err := os.Remove(filepath.Join(d.path, t.Path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

package project

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/sp-registry/sp/internal/place"
)

// secretPlaces are where secret files lie. What is deeper, such as the data of a
// database server, is not ours to look at.
var secretPlaces = []string{"*", "sessions/*", "docker/*", "profiles/*/*", "profiles/*/docker/*"}

// Loose is a secret file that is not only its owner's.
type Loose struct {
	// Path is relative to the directory.
	Path string
	Mode fs.FileMode
	// Owner is whose it is, and Names how many it has; Strange tells that it is not
	// this user's.
	Owner, Names int
	Strange      bool
}

// Readable tells whether group or others may do something with the file.
func (l Loose) Readable() bool { return l.Mode&0o077 != 0 }

// LooseSecrets lists the secret files that others can reach, that are another
// user's or that have a second name, but for sp.db, of which db knows more. An
// unfinished .gitignore holds no secret, and may be the finished one by another name.
func (d Dir) LooseSecrets() ([]Loose, error) {
	var loose []Loose
	err := d.eachFile(secretPlaces, func(path string, info fs.FileInfo) {
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok || path == "sp.db" || !isSecret(path) || isNumbered(path, ".gitignore.") {
			return
		}
		l := Loose{Path: path, Mode: info.Mode().Perm(), Owner: place.Owner(info), Names: int(stat.Nlink), Strange: !place.IsOwn(info)}
		if l.Strange || l.Readable() || l.Names > 1 {
			loose = append(loose, l)
		}
	})
	return loose, err
}

// eachFile calls fn for every regular file at the places, in order. It looks
// without opening, and follows no link out of the directory.
func (d Dir) eachFile(places []string, fn func(path string, info fs.FileInfo)) error {
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	for _, place := range places {
		found, err := fs.Glob(root.FS(), place)
		if err != nil {
			return err
		}
		slices.Sort(found)
		for _, path := range found {
			info, err := root.Lstat(path)
			if errors.Is(err, fs.ErrNotExist) {
				continue // gone since
			}
			if err != nil {
				return err
			}
			if info.Mode().IsRegular() {
				fn(path, info)
			}
		}
	}
	return nil
}

// TightenFile takes from group and others what they may do with a file of the
// directory, by its path within it, of which no part may be a link. It works on the open
// file, so that nothing can be put in the place of what was checked.
func (d Dir) TightenFile(path string) error {
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	file, info, err := d.open(root, path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	return file.Chmod(info.Mode().Perm() &^ 0o077)
}

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

// ProfileFiles lists the paths of the profile.yaml files within the directory.
func (d Dir) ProfileFiles() ([]string, error) {
	var found []string
	err := d.eachFile([]string{"profiles/*/profile.yaml"}, func(path string, _ fs.FileInfo) { found = append(found, path) })
	return found, err
}

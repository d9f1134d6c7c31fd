package db

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/sp-registry/sp/internal/place"
	"golang.org/x/sys/unix"
)

// PlaceName is the file beside a registry that says where it belongs.
const PlaceName = ".place"

// placeNew is what the file is called until it is whole.
const placeNew = ".place.new"

// placed is one line of the file .place: where the registry of an id lies. The words of a
// line are separated by blanks, the paths quoted as Go does it:
//
//	ID SP.DB JOURNAL DIRECTORY [ORIGIN-ID ORIGIN-DIRECTORY]...
//
// SP.DB and JOURNAL are a place.Identity. What is not known is a -, as is the id of a
// registry that has none yet. There is one line, and two while a registry is being
// replaced or gets another id.
type placed struct {
	id            string
	file, journal place.Identity
	dir           string
	// origins are where the registries lie of which this one is a copy, or a copy's copy.
	origins []origin
}

// origin is another directory's registry.
type origin struct{ id, dir string }

const maxPlace = 64 << 10

func placePath(registry string) string { return filepath.Join(filepath.Dir(registry), PlaceName) }

// readPlace reads the file .place beside the registry at path. One that is missing, or
// that sp did not write, says nothing.
func readPlace(path string) ([]placed, error) {
	var file int
	err := place.IgnoringEINTR(func() (err error) {
		file, err = unix.Open(placePath(path), unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		return err
	})
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ELOOP), errors.Is(err, unix.ENXIO):
		return nil, nil
	case err != nil:
		return nil, denied(placePath(path), &os.PathError{Op: "open", Path: placePath(path), Err: err})
	}
	defer func() { _ = unix.Close(file) }() // it was only read
	text, err := readStart(descriptor(file), maxPlace)
	if errors.Is(err, unix.EISDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, &os.PathError{Op: "read", Path: placePath(path), Err: err}
	}
	return parsePlace(text), nil
}

// readStart reads a file up to its end or a limit. One that gives less than it was asked for
// is at its end.
func readStart(file io.Reader, limit int) (string, error) {
	text, buffer := "", make([]byte, 1<<10)
	for len(text) <= limit {
		n, err := file.Read(buffer)
		text += string(buffer[:n])
		if errors.Is(err, io.EOF) || err == nil && n < len(buffer) {
			break
		}
		if err != nil {
			return "", err
		}
	}
	return text, nil
}

// parsePlace reads what formatPlace writes; nothing else says anything.
func parsePlace(text string) []placed {
	var all []placed
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		p, err := parsePlaced(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil
		}
		all = append(all, p)
	}
	return all
}

func parsePlaced(line string) (p placed, err error) {
	words, err := placeWords(line)
	if err != nil {
		return placed{}, err
	}
	if len(words) < 4 || len(words)%2 != 0 {
		return placed{}, fmt.Errorf("%d words", len(words))
	}
	p.id, p.dir = words[0], words[3]
	if p.file, err = place.ParseIdentity(strings.TrimPrefix(words[1], "-")); err != nil {
		return placed{}, err
	}
	if p.journal, err = place.ParseIdentity(strings.TrimPrefix(words[2], "-")); err != nil {
		return placed{}, err
	}
	for pair := range slices.Chunk(words[4:], 2) {
		p.origins = append(p.origins, origin{id: pair[0], dir: pair[1]})
	}
	if p.id = strings.TrimPrefix(p.id, "-"); p.id != "" && !isRegistryID(p.id) {
		return placed{}, errors.New("no id")
	}
	return p, nil
}

// placeWords splits a line at blanks, and unquotes those words that are quoted.
func placeWords(line string) ([]string, error) {
	var words []string
	for line != "" {
		word, rest := line, ""
		if quote, err := strconv.QuotedPrefix(line); err == nil {
			word, rest = quote, strings.TrimPrefix(line[len(quote):], " ")
			if word, err = strconv.Unquote(quote); err != nil {
				return nil, err
			}
		} else {
			word, rest, _ = strings.Cut(line, " ")
		}
		words, line = append(words, word), rest
	}
	return words, nil
}

func (p placed) String() string {
	line := cmp.Or(p.id, "-") + " " + cmp.Or(p.file.String(), "-") + " " + cmp.Or(p.journal.String(), "-") + " " + strconv.Quote(p.dir)
	for _, o := range p.origins {
		line += " " + o.id + " " + strconv.Quote(o.dir)
	}
	return line
}

// writePlace puts the file .place beside the registry at path, durably, under the lock.
func writePlace(path string, all ...placed) (err error) {
	text := "# Made by sp: which registry belongs here. Keep it private; it is of no use elsewhere.\n"
	for _, p := range all {
		text += p.String() + "\n"
	}
	made := filepath.Join(filepath.Dir(path), placeNew)
	if err := removeIfThere(made); err != nil { // left by a process that was killed here
		return err
	}
	file, err := os.OpenFile(made, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(made, placePath(path))
	}
	if err != nil {
		return errors.Join(err, removeIfThere(made))
	}
	return place.SyncDir(filepath.Dir(path))
}

// placeOf is where the registry at path lies, with its journal; its file may still have
// another name, file.
func placeOf(path, file string) (p placed, err error) {
	p.dir = filepath.Dir(path)
	if p.file, err = place.IdentityOf(file); err != nil {
		return p, err
	}
	p.journal, err = place.IdentityOf(path + journalSide)
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return p, err
}

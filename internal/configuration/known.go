package configuration

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// directory is where sp keeps what the sides last agreed on, and where files wait for their place.
const directory = "sync"

// known is the file in which a base is kept, `sync/TENANT.json`. It is bookkeeping: without it, what
// differs is compared as if nobody had ever agreed on it.
type known struct {
	Tenant string `json:"tenant"`
	Origin string `json:"origin"` // of the control plane
	Files  Base   `json:"files"`
}

func (s *Sync) path() string { return pathOf(s.Tree.Tenant) }

func pathOf(id registry.TenantID) string { return directory + "/" + fileName(string(id)) + ".json" }

// Forget removes what is known of a tenant that is deleted.
func Forget(dir project.Dir, id registry.TenantID) error {
	if info, err := os.Lstat(dir.Full(directory)); err != nil || !info.IsDir() {
		return nil // nothing is known
	}
	return place.Sweep([]string{dir.Full(pathOf(id))})
}

// fileName is the id of a tenant, or its hash where that is no name for a file.
func fileName(id string) string {
	const plain = "abcdefghijklmnopqrstuvwxyz0123456789-_"
	if id != "" && len(id) <= 64 && id[0] != '-' && strings.Trim(id, plain) == "" {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

// base returns what is known, nothing where the file is missing or is not of this tenant there.
func (s *Sync) base() (Base, error) {
	text, _, found, err := s.Tree.Dir.ReadFile(s.path())
	if err != nil || !found {
		return Base{}, err
	}
	var k known
	if json.Unmarshal(text, &k) != nil || k.Tenant != string(s.Tree.Tenant) || k.Origin != s.Origin {
		return Base{}, nil
	}
	return k.Files, nil
}

// remember keeps a base.
func (s *Sync) remember(base Base) error {
	text, err := json.MarshalIndent(known{string(s.Tree.Tenant), s.Origin, base}, "", "  ")
	if err != nil {
		return err
	}
	path := s.Tree.Dir.Full(s.path())
	was, err := place.Look(path)
	if err != nil {
		return err
	}
	w, err := place.Write(path, place.Options{In: s.Tree.Dir.Full(directory)}, func(to io.Writer) error {
		_, err := to.Write(append(text, '\n'))
		return err
	})
	if err != nil {
		return err
	}
	return errors.Join(w.Place(was), w.Discard())
}

// lock makes the directory and takes its lock, so that no other command compares meanwhile. It is
// kept until the file is closed.
func lock(dir project.Dir) (*os.File, error) {
	path := dir.Full(directory)
	err := os.Mkdir(path, 0o700)
	if err == nil {
		err = place.SyncDir(dir.Path())
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if info, err := os.Lstat(path); err != nil || !info.IsDir() {
		return nil, errors.Join(err, fmt.Errorf("%s: it is not a directory: %w", path, project.ErrUnusable))
	}
	file, err := place.OpenMark(dir.Full(directory + "/.lock"))
	if err != nil {
		return nil, err
	}
	if !place.TryLock(file) {
		return nil, errors.Join(ErrBusy, file.Close())
	}
	return file, nil
}

package postgres

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sp-registry/sp/internal/place"
)

// Placed is a cluster in the user's place for data.
type Placed struct {
	Cluster
	ID      string
	Running bool
}

// Clusters returns those in a directory whose names are such ids, in order of these.
func Clusters(ctx context.Context, base string, isID func(string) bool) (all []Placed, err error) {
	entries, err := os.ReadDir(base)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, entry := range entries {
		if !entry.IsDir() || !isID(entry.Name()) {
			continue
		}
		p := Placed{ID: entry.Name(), Cluster: Cluster{Dir: filepath.Join(base, entry.Name())}}
		if text, err := os.ReadFile(p.ownerFile()); err == nil {
			p.Owner = strings.TrimSuffix(string(text), "\n")
		}
		if p.Running, err = p.Cluster.Running(ctx); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, err
}

// Identity tells the directory of a cluster from every other one that ever stands there. It
// is empty where the file system does not tell.
func (c Cluster) Identity() (string, error) {
	identity, err := place.IdentityOf(c.Dir)
	return identity.String(), err
}

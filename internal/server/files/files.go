// Package files keeps the configuration of tenants for a control plane: for each one a state, which is
// replaced whole.
package files

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/archive"
)

var (
	// ErrUnconditional is returned for a change that does not name the state it was made from.
	ErrUnconditional = errors.New("If-Match has to name the state that the archive was made from")
	// ErrStale is returned for a change of a state that is another one by now.
	ErrStale = errors.New("the files changed since then")
)

// Files are the configurations of all tenants.
type Files struct {
	db   *server.DB
	now  func() time.Time
	turn chan struct{}
}

// unpacked bounds how many archives are in memory at once, each of which may take 64 MiB.
const unpacked = 2

// New returns the files that serve.db keeps.
func New(db *server.DB, now func() time.Time) *Files {
	return &Files{db: db, now: now, turn: make(chan struct{}, unpacked)}
}

// Manifest returns the manifest of a tenant's state.
func (f *Files) Manifest(ctx context.Context, tenant string) (m archive.Manifest, err error) {
	var text string
	err = f.db.Read(ctx, func(q *server.Queries) error {
		text, err = q.FilesManifest(ctx, tenant)
		return err
	})
	if server.IsMissing(err) {
		return archive.Manifest{}, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &m)
	}
	return m, err
}

// Archive returns the archive of a tenant's state, and the ETag of its manifest.
func (f *Files) Archive(ctx context.Context, tenant string) (text []byte, etag string, err error) {
	if err := f.wait(ctx); err != nil {
		return nil, "", err
	}
	defer f.leave()
	var row server.FilesArchiveRow
	err = f.db.Read(ctx, func(q *server.Queries) error {
		row, err = q.FilesArchive(ctx, tenant)
		return err
	})
	if server.IsMissing(err) {
		var none bytes.Buffer
		err = archive.Write(&none, nil)
		return none.Bytes(), archive.Manifest{}.ETag(), err
	}
	return row.Archive, row.Etag, err
}

// Replace replaces the state that ifMatch names, by that of an archive. It returns the new manifest.
func (f *Files) Replace(ctx context.Context, tenant, ifMatch string, body io.Reader) (archive.Manifest, error) {
	if strings.TrimSpace(ifMatch) == "" {
		return nil, ErrUnconditional
	}
	if err := f.wait(ctx); err != nil {
		return nil, err
	}
	defer f.leave()
	files, err := archive.Read(body)
	if err != nil {
		return nil, err
	}
	var canonical bytes.Buffer // what else was in there, nobody gets
	if err := archive.Write(&canonical, files); err != nil {
		return nil, err
	}
	m := archive.ManifestOf(files)
	told, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return m, f.db.Write(ctx, func(q *server.Queries) error {
		has, err := q.FilesETag(ctx, tenant)
		if server.IsMissing(err) {
			has, err = archive.Manifest{}.ETag(), nil
		}
		if err == nil && !Matches(ifMatch, has) {
			err = ErrStale
		}
		if err != nil {
			return err
		}
		return q.PutFiles(ctx, server.PutFilesParams{
			TenantID: tenant, Etag: m.ETag(), Manifest: string(told), Archive: canonical.Bytes(), ChangedAt: f.now().UnixMicro(),
		})
	})
}

// Matches tells whether an If-Match or If-None-Match names a state (RFC 9110 13.1).
func Matches(header, etag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		if one = strings.TrimSpace(one); one == etag || one == "*" {
			return true
		}
	}
	return false
}

func (f *Files) wait(ctx context.Context) error {
	select {
	case f.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (f *Files) leave() { <-f.turn }

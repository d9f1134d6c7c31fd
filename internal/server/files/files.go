// Package files keeps the configuration of tenants for a control plane: for each one a state, which is
// replaced whole.
package files

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
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
	dir  string
	now  func() time.Time
	turn chan struct{}
}

// unpacked bounds how many states are in memory at once, each of which may take 64 MiB.
const unpacked = 2

// New returns the files that serve.db keeps. What comes is kept in dir until it is whole.
func New(db *server.DB, dir string, now func() time.Time) *Files {
	return &Files{db: db, dir: dir, now: now, turn: make(chan struct{}, unpacked)}
}

// Manifest returns the manifest of a tenant's state. Whoever asks may wait for others: may refuses, in the same
// look, what may not be any more.
func (f *Files) Manifest(ctx context.Context, tenant string, may func(*server.Queries) error) (m archive.Manifest, err error) {
	if err := f.wait(ctx); err != nil {
		return nil, err
	}
	defer f.leave()
	var text string
	err = f.db.Read(ctx, func(q *server.Queries) error {
		if err := may(q); err != nil {
			return err
		}
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

// Archive returns the archive of a tenant's state, and the ETag of its manifest, if it may.
func (f *Files) Archive(ctx context.Context, tenant string, may func(*server.Queries) error) (text []byte, etag string, err error) {
	if err := f.wait(ctx); err != nil {
		return nil, "", err
	}
	defer f.leave()
	var row server.FilesArchiveRow
	err = f.db.Read(ctx, func(q *server.Queries) error {
		if err := may(q); err != nil {
			return err
		}
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

// Replace replaces the state that ifMatch names, by that of an archive. It returns the new manifest. A body
// that comes slowly keeps nobody waiting, and fills a file. Until it is there much can happen: may refuses
// what may not be any more, within the change.
func (f *Files) Replace(ctx context.Context, tenant, ifMatch string, body io.Reader, may func(*server.Queries) error) (m archive.Manifest, err error) {
	if strings.TrimSpace(ifMatch) == "" {
		return nil, ErrUnconditional
	}
	whole, err := f.receive(body)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, whole.Close()) }()
	if err := f.wait(ctx); err != nil {
		return nil, err
	}
	defer f.leave()
	return f.replace(ctx, tenant, ifMatch, whole, may)
}

// receive reads a body into a file that has no name. What is too long is refused when it is read as an
// archive.
func (f *Files) receive(body io.Reader) (*os.File, error) {
	file, err := os.CreateTemp(f.dir, ".push-*")
	if err != nil {
		return nil, err
	}
	err = os.Remove(file.Name())
	if err == nil {
		_, err = io.Copy(file, io.LimitReader(body, archive.MaxBytes+1))
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func (f *Files) replace(ctx context.Context, tenant, ifMatch string, body io.Reader, may func(*server.Queries) error) (archive.Manifest, error) {
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
		if err := may(q); err != nil {
			return err
		}
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

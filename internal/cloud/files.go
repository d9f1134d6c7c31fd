package cloud

import (
	"context"
	"mime"
	"net/http"

	"github.com/sp-registry/sp/internal/secret"
)

// File is one file of a tenant's configuration.
type File struct {
	Path, SHA256 string
	Bytes        int64
}

// Manifest is what a tenant's configuration is made of. ETag names this state.
type Manifest struct {
	Files []File
	ETag  string
}

// Manifest lists the files of a tenant's configuration. The tenant's sync token authorises it, as it
// does Archive and PutFiles.
func (c *Client) Manifest(ctx context.Context, id string, sync secret.Secret) (Manifest, error) {
	return c.askManifest(ctx, request{method: http.MethodGet, path: tenantPath(id, "/files"), tokens: Fixed{sync}})
}

// Archive returns these files as a tar archive in gzip, and the ETag of their manifest.
func (c *Client) Archive(ctx context.Context, id string, sync secret.Secret) (archive []byte, etag string, err error) {
	a, err := c.do(ctx, request{
		method: http.MethodGet, path: tenantPath(id, "/files"), tokens: Fixed{sync}, limit: MaxArchive,
		header: http.Header{"Accept": {"application/gzip"}},
	})
	if kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type")); err == nil && kind != "application/gzip" {
		err = c.noAnswer("it answers with no archive")
	}
	return a.body, a.header.Get("ETag"), err
}

// PutFiles replaces the files by those of an archive that was made from the state that ifMatch names.
// ErrConflict means that the state is another one by now.
func (c *Client) PutFiles(ctx context.Context, id string, sync secret.Secret, archive []byte, ifMatch string) (Manifest, error) {
	return c.askManifest(ctx, request{
		method: http.MethodPut, path: tenantPath(id, "/files"), tokens: Fixed{sync}, body: archive,
		header: http.Header{"Content-Type": {"application/gzip"}, "If-Match": {ifMatch}},
	})
}

func (c *Client) askManifest(ctx context.Context, r request) (Manifest, error) {
	r.limit = MaxArchive // of many files
	var told struct{ Files []File }
	a, err := c.ask(ctx, r, &told)
	return Manifest{told.Files, a.header.Get("ETag")}, err
}

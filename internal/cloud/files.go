package cloud

import (
	"context"
	"mime"
	"net/http"

	"github.com/sp-registry/sp/internal/secret"
)

// Archive returns the files of a tenant's configuration as a tar archive in gzip, and the ETag that names
// this state. The tenant's sync token authorises it, as it does PutFiles.
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
func (c *Client) PutFiles(ctx context.Context, id string, sync secret.Secret, archive []byte, ifMatch string) error {
	var told struct{ Files []struct{} }
	_, err := c.ask(ctx, request{
		method: http.MethodPut, path: tenantPath(id, "/files"), tokens: Fixed{sync}, body: archive, limit: MaxArchive, // of many files
		header: http.Header{"Content-Type": {"application/gzip"}, "If-Match": {ifMatch}},
	}, &told)
	return err
}

package cloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/sp-registry/sp/internal/archive"
	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/cloud"
	"github.com/sp-registry/sp/internal/configuration"
)

// remote is the control plane of the tenant. The sync token is for its own one alone: nobody else gets
// it, whichever one the login is for.
func (s *subject) remote(ctx context.Context, t *task.Task) (r configuration.Remote, err error) {
	_, login, err := t.ReadLogin(ctx)
	if err != nil {
		return r, err
	}
	client, err := t.CloudAt(s.origin, login)
	if err != nil {
		return r, err
	}
	s.origin = client.Base
	id, token := string(s.tenant.ID), *s.tenant.SyncToken
	r.Get = func(ctx context.Context) (configuration.State, error) {
		text, etag, err := client.Archive(ctx, id, token)
		if err != nil {
			return configuration.State{}, s.refused(err)
		}
		files, err := archive.Read(bytes.NewReader(text))
		if err != nil {
			err = fmt.Errorf("%s: %w: %w", client.Host(), configuration.ErrUnfit, err)
		}
		return configuration.State{Files: files, ETag: etag}, err
	}
	r.Put = func(ctx context.Context, etag string, text []byte) error {
		_, err := client.PutFiles(ctx, id, token, text, etag)
		var told *cloud.Error
		if errors.As(err, &told) && told.Status == http.StatusPreconditionFailed {
			return fmt.Errorf("%w: %w", configuration.ErrStale, err)
		}
		return s.refused(err)
	}
	return r, nil
}

// refused says which token the control plane does not take.
func (s *subject) refused(err error) error {
	if errors.Is(err, cloud.ErrUnauthenticated) || errors.Is(err, cloud.ErrDenied) {
		return cli.Hint(fmt.Errorf("the control plane refuses the sync token of tenant %s: %w", s.tenant, err), "%s makes a new one", cli.To("sp tenant rotate-sync-token", string(s.tenant.ID)))
	}
	return err
}

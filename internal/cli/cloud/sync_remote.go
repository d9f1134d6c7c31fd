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

// own is the client of the tenant's own control plane. The sync token is for that one alone: nobody else
// gets it, whichever one the login is for. Of a tenant that came with a file nobody knows which that is:
// then the one of the login has to have it, and without a login the one that SP_CLOUD_URL names is it.
func (s *subject) own(ctx context.Context, t *task.Task) (*cloud.Client, error) {
	if s.origin != "" {
		return t.CloudAt(s.origin, nil)
	}
	token, err := t.EnvToken()
	if err != nil {
		return nil, err
	}
	_, login, err := t.ReadLogin(ctx)
	if err != nil {
		return nil, err
	}
	if login == nil && token == nil {
		return t.CloudAt("", nil)
	}
	client, _, err := t.Cloud(ctx)
	if err == nil {
		err = task.CheckIsThere(ctx, client, s.tenant)
	}
	return client, err
}

// remote is the control plane of the tenant.
func (s *subject) remote(ctx context.Context, t *task.Task) (r configuration.Remote, err error) {
	client, err := s.own(ctx, t)
	if err != nil {
		return r, err
	}
	s.origin = client.Base
	id, token := string(s.tenant.ID), *s.tenant.SyncToken
	r.Get = func(ctx context.Context) (configuration.State, error) {
		t.Step("asking " + client.Host())
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
		t.Step("sending to " + client.Host())
		err := client.PutFiles(ctx, id, token, text, etag)
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
		return cli.HintAt(fmt.Errorf("the control plane refuses the sync token of tenant %s: %w", s.tenant, err), task.TokenHint(s.tenant.ID))
	}
	return err
}

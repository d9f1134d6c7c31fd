package tenant

import (
	"context"
	"errors"

	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/cloud"
	"github.com/sp-registry/sp/internal/registry"
)

// liveStatus is how a cloud tenant is now, as its control plane says.
type liveStatus struct {
	State   cloud.State `json:"state"`
	Message *string     `json:"message"`
}

// String is the state and why.
func (s *liveStatus) String() string {
	if s.Message == nil {
		return string(s.State)
	}
	return string(s.State) + ": " + *s.Message
}

// live asks the control plane how a cloud tenant is, if somebody is logged in there. Where it does not
// answer soon, what is known is shown without that.
func live(ctx context.Context, t *task.Task, tenant registry.Tenant) *liveStatus {
	if !tenant.IsCloud() || t.Bool("offline") {
		return nil
	}
	client, _, err := clientFor(ctx, t, tenant)
	if errors.Is(err, cloud.ErrNotLoggedIn) {
		return nil
	}
	if err == nil {
		var st cloud.Status
		within, cancel := context.WithTimeout(ctx, syncWithin)
		defer cancel()
		if st, err = client.Status(within, string(tenant.ID)); err == nil {
			return liveOf(st)
		}
	}
	t.Note("warning: how tenant %s is could not be asked: %v", tenant, err)
	return nil
}

func liveOf(st cloud.Status) *liveStatus {
	s := &liveStatus{State: st.State}
	if st.Message != "" {
		s.Message = &st.Message
	}
	return s
}

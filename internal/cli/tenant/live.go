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
	// Canceled tells that its subscription is cancelled: its database goes read-only, and then away.
	Canceled bool `json:"subscription_canceled"`
}

// String is the state and why.
func (s *liveStatus) String() string {
	text := string(s.State)
	if s.Message != nil {
		text += ": " + *s.Message
	}
	if s.Canceled {
		text += "; its subscription is cancelled, which makes its database read-only"
	}
	return text
}

// live asks the control plane how a cloud tenant is, if somebody is logged in there. Where it does not
// answer soon, what is known is shown without that.
func live(ctx context.Context, t *task.Task, tenant registry.Tenant) *liveStatus {
	if !tenant.IsCloud() || t.Bool("offline") || t.Offline() != nil {
		return nil
	}
	within, cancel := context.WithTimeout(ctx, syncWithin)
	defer cancel()
	client, _, err := clientFor(within, t, tenant)
	if errors.Is(err, cloud.ErrNotLoggedIn) {
		return nil
	}
	if err == nil {
		var s *liveStatus
		if s, err = liveAt(within, client, string(tenant.ID)); err == nil {
			return s
		}
	}
	f := t.FailureOf(err)
	t.Note("warning: no status of tenant %s: %s", tenant, f.Message)
	t.NoteAdvice(f.Advice)
	return nil
}

func liveAt(ctx context.Context, client *cloud.Client, id string) (*liveStatus, error) {
	st, err := client.Status(ctx, id)
	if err != nil {
		return nil, err
	}
	now, err := client.Tenant(ctx, id)
	s := &liveStatus{State: st.State, Canceled: now.SubscriptionStatus != nil && *now.SubscriptionStatus == "canceled"}
	if st.Message != "" {
		s.Message = &st.Message
	}
	return s, err
}

package hosting

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// mustRotate rotates a tenant's login, and returns what came of it and the URL since.
func (s *site) mustRotate(grace time.Duration) (Rotated, secret.Secret) {
	s.t.Helper()
	done, err := s.Rotate(s.ctx(), s.known(id), Wanted{}, grace)
	require.NoError(s.t, err)
	return done, s.url(id)
}

// TestARotationKeepsItsWord: the old login works until the time that was promised, whatever is said
// meanwhile but to end it now.
func TestARotationKeepsItsWord(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustCreate(id)
	first := s.url(id)
	_, second := s.mustRotate(time.Hour)
	_, err := s.Rotate(s.ctx(), s.known(id), Wanted{}, time.Minute)
	require.ErrorIs(t, err, registry.ErrConflict)
	promised := &PromisedError{}
	require.ErrorAs(t, err, &promised)
	require.Equal(t, s.now.Add(time.Hour), promised.Until)
	require.True(t, second.Equal(s.url(id)))
	s.requireOpens(first)

	ended := openSession(t, first, "shop")
	done, third := s.mustRotate(0)
	ended()
	require.Equal(t, provision.Uses{{Application: "shop", Sessions: 1}}, done.Ended[0].Uses)
	s.requireRefused(first)
	s.requireRefused(second)
	s.requireOpens(third)

	_, _ = s.mustRotate(time.Minute)
	s.now = s.now.Add(time.Minute)
	done, last := s.mustRotate(time.Minute)
	require.NotNil(t, done.OldEnd, "when its time is over, it is rotated again")
	s.requireOpens(last)
	s.mustDelete(id)
}

// TestAStoppedRotationIsFinished and not another one begun, as long as its old login was to work.
func TestAStoppedRotationIsFinished(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustCreate(id)
	old := s.url(id)
	s.arm(1, registry.ErrUnknown)
	_, err := s.Rotate(s.ctx(), s.known(id), Wanted{}, 2*time.Second)
	require.ErrorIs(t, err, errStopped)
	s.arm(0, nil)
	published := s.url(id)
	ended := openSession(t, old, "shop")
	done, url := s.mustRotate(time.Hour)
	require.True(t, published.Equal(url))
	require.Equal(t, provision.Uses{{Application: "shop", Sessions: 1}}, done.Uses)
	require.Less(t, time.Until(*done.OldEnd), 3*time.Second, "as the stopped one promised")
	require.Eventually(t, func() bool {
		refused, err := provision.Refuses(s.ctx(), old)
		return err == nil && refused
	}, 5*time.Second, 50*time.Millisecond)

	// What another tenant's command ends, it tells.
	s.now = s.now.Add(time.Minute)
	n := newTenant("other")
	made, err := s.Create(s.ctx(), n, s.server(), Extras{})
	require.NoError(t, err)
	ended()
	require.Equal(t, id, made.Ended[0].Database.Tenant)
	require.Equal(t, provision.Uses{{Application: "shop", Sessions: 1}}, made.Ended[0].Uses)
	s.mustDelete("other")
	s.mustDelete(id)
}

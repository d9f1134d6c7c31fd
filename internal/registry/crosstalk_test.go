package registry

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSessionsOfOthersDoNotShowThrough is row I16: logins in two registries at the same time,
// and of two users of one, leave each its own. There are fewer of them than the original has,
// for each of these is as durable as a file can be.
func TestSessionsOfOthersDoNotShowThrough(t *testing.T) {
	t.Parallel()
	const apart, together = 40, 20
	one, other, shared := mustTwoDesk(t), mustTwoDesk(t), mustTwoDesk(t)
	second := &desk{path: shared.path, now: noon}
	r, err := Open(t.Context(), shared.path, second.options())
	require.NoError(t, err)
	second.Registry = r
	t.Cleanup(func() { _ = second.Close() })

	var wait sync.WaitGroup
	failed := make(chan error, 4)
	for _, u := range []struct {
		d             *desk
		profile, user string
		times         int
	}{{one, "pa", "one", apart}, {other, "pa", "other", apart}, {shared, "pa", "anna", together}, {second, "pb", "bert", together}} {
		wait.Go(func() {
			for i := range u.times {
				if err := login(u.d, u.profile, fmt.Sprintf("tok-%s-%d;", u.user, i)); err != nil {
					failed <- fmt.Errorf("%s, login %d: %w", u.user, i, err)
					return
				}
			}
		})
	}
	wait.Wait()
	close(failed)
	for err := range failed {
		require.NoError(t, err)
	}
	last := func(tenant, user string, times int) string {
		return tenant + " " + revealAuthentication(authenticated(fmt.Sprintf("tok-%s-%d;", user, times-1)))
	}
	require.Equal(t, []string{last("a", "one", apart)}, one.authentications(t))
	require.Equal(t, []string{last("a", "other", apart)}, other.authentications(t))
	require.Equal(t, []string{last("a", "anna", together), last("b", "bert", together)}, shared.authentications(t))
	for d, strangers := range map[*desk][]string{one: {"other", "anna", "bert"}, other: {"one", "anna", "bert"}, shared: {"one", "other"}} {
		for _, stranger := range strangers {
			requireNowhere(t, filepath.Dir(d.path), "tok-"+stranger)
		}
	}
	requireNowhere(t, filepath.Dir(shared.path), fmt.Sprintf("tok-anna-%d;", together-2))
	_, err = shared.EndSession(context.Background(), "a")
	require.NoError(t, err)
	require.Equal(t, []string{last("b", "bert", together)}, shared.authentications(t))
}

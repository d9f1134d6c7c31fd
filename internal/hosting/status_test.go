package hosting

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// TestStatusesHaveACodeForEachState, and wait for no server, not even one that says that it recovers.
func TestStatusesHaveACodeForEachState(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	data := t.TempDir()
	s.Data = func() (string, error) { return data, nil }
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	place, identity := "aaaaaaaaaaaaaaaa-lost", "1:2"
	at := func(address string) secret.Secret {
		return secret.New("postgres://u:p@" + address + "/postgres?sslmode=disable")
	}
	elsewhere := func(address string, withheld registry.Withheld) registry.Server {
		return registry.Server{Name: address, Provider: registry.Elsewhere, Admin: at(address), Withheld: withheld}
	}
	servers := []registry.Server{
		elsewhere(pgtest.Listen(t, pgtest.Says("57P03", "the database system is in recovery mode")), ""),
		elsewhere(pgtest.Listen(t, pgtest.Says("28P01", "password authentication failed")), ""),
		elsewhere(closed.Addr().String(), ""),
		elsewhere("127.0.0.1:1", "unnamed"),
		{Name: "local", Provider: registry.LocalPrograms, Admin: at("127.0.0.1:1"), Place: &place},
		{Name: "lost", Provider: registry.LocalPrograms, Admin: at("127.0.0.1:1"), Place: &place, Identity: &identity},
	}
	began := time.Now()
	var states []ServerState
	for i, st := range s.Statuses(t.Context(), servers, []registry.Database{{Tenant: "t", State: registry.Ready, Server: "lost", Name: "sp_t"}}) {
		states = append(states, st.State)
		require.Nil(t, st.Usages)
		require.Equal(t, servers[i].Name == "lost", len(st.Missing) == 1)
	}
	require.Equal(t, []ServerState{ServerStarting, ServerRefuses, ServerUnreachable, ServerWithheld, ServerStopped, ServerLost}, states)
	require.Less(t, time.Since(began), answerWithin)
}

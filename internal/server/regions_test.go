package server

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// TestOneAsksARegionForAllWhoWantToKnow: two hundred who list the regions are not two hundred at its
// server.
func TestOneAsksARegionForAllWhoWantToKnow(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	var asked atomic.Int64
	server, err := registry.ServerAt(secret.New("postgres://admin:canary-admin@" + pgtest.Listen(t, func(net.Conn) { asked.Add(1) }) + "/postgres"))
	require.NoError(t, err)
	require.NoError(t, p.addRegion(t.Context(), "iad", server))
	anna := p.mustUser("anna", ReaderRole)
	list := func() {
		var found data[[]Region]
		anna.ask("GET", "/api/v1/regions", "").is(200, &found)
		require.Len(t, found.Data, 1)
		require.False(t, found.Data[0].Answers)
	}
	list()
	require.NotZero(t, asked.Load())
	p.clock.pass(checkedFor)
	var wait sync.WaitGroup
	for range 32 {
		wait.Go(list)
	}
	wait.Wait()
	require.Less(t, asked.Load(), int64(32)) // a look takes a few, some of which are counted late
}

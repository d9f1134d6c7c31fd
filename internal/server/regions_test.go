package server

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// TestOneAsksARegionForAllWhoWantToKnow: two hundred who list the regions are not two hundred at its
// server.
func TestOneAsksARegionForAllWhoWantToKnow(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	var asked atomic.Int64
	server, err := registry.ServerAt(secret.New("postgres://admin:canary-admin@" + mustHangUp(t, &asked) + "/postgres"))
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

// mustHangUp listens, and ends every connection; it returns its address.
func mustHangUp(t *testing.T, count *atomic.Int64) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			count.Add(1)
			_ = conn.Close()
		}
	}()
	return listener.Addr().String()
}

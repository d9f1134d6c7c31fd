package server

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	rows "github.com/sp-registry/sp/db/server"
)

// TestAListIsRenderedOnceForAllWhoWait and never older than when somebody asked.
func TestAListIsRenderedOnceForAllWhoWait(t *testing.T) {
	t.Parallel()
	var l lists
	var rendered atomic.Int64
	ask := func(p *principal, asked version) version {
		at, body, err := l.of(p, asked, func() (version, []byte, error) {
			return version{rendered.Add(1), 0}, []byte{}, nil
		})
		require.NoError(t, err)
		require.NotNil(t, body)
		return at
	}
	root, rosa := &principal{admin: true, token: rows.Token{ID: "root's"}}, &principal{admin: true, token: rows.Token{ID: "rosa's"}}
	var wait sync.WaitGroup
	for i := range 32 {
		wait.Go(func() { ask([]*principal{root, rosa}[i%2], version{1, 0}) })
	}
	wait.Wait()
	require.EqualValues(t, 1, rendered.Load())
	require.Equal(t, version{2, 0}, ask(root, version{2, 0}))
	require.Equal(t, version{2, 0}, ask(rosa, version{1, 0}))
	require.Equal(t, version{3, 0}, ask(&principal{token: rows.Token{ID: "anna's"}}, version{1, 0}))
	require.False(t, version{2, 0}.covers(version{1, 1}))
	require.False(t, version{1, 2}.covers(version{2, 1}))
}

package server

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAnEventWakesWhoFollowsItsTenantAlone: of two hundred who follow their own, each would look as
// often as there are events of all.
func TestAnEventWakesWhoFollowsItsTenantAlone(t *testing.T) {
	t.Parallel()
	var n news
	one, again, other := n.wait("one"), n.wait("one"), n.wait("other")
	n.tell("nobody's")
	n.tell("one")
	for _, told := range []<-chan struct{}{one, again} {
		_, open := <-told
		require.False(t, open)
	}
	require.Len(t, n.next, 1)
	select {
	case <-other:
		require.Fail(t, "woken for another's event")
	default:
	}
	n.tell("other")
	_, open := <-other
	require.False(t, open)
	require.Empty(t, n.next)
}

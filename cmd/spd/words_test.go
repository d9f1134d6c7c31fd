package main

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestARefusalNamesTheWayOn: what a newcomer tries first.
func TestARefusalNamesTheWayOn(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("user", "add", "anna")
	for _, c := range []struct {
		line []string
		exit int
		code string
		next string
	}{
		{[]string{"user", "rm", "anna"}, 2, "usage", "spd user edit NAME --active no"},
		{[]string{"token", "revoke", "x"}, 2, "usage", "spd token delete"},
		{[]string{"tenant", "create"}, 2, "usage", "sp tenant create --help"},
		{[]string{"user", "code", "nobody"}, 3, "not_found", "spd user list"},
		{[]string{"grant", "anna", "shop"}, 3, "not_found", "spd tenant list"},
		{[]string{"region", "remove", "iad"}, 3, "not_found", "spd region list"},
		{[]string{"region", "add", "iad"}, 2, "usage", "spd region add iad --server-stdin"},
	} {
		f := s.refuses(c.exit, c.code, c.line...)
		require.NotNil(t, f.Hint, c.line)
		require.Contains(t, *f.Hint, c.next)
	}
	require.Equal(t, "token x: not found", s.refuses(3, "not_found", "token", "delete", "x").Message)
}

// TestATakenAddressIsNamed, with a way to another one.
func TestATakenAddressIsNamed(t *testing.T) {
	t.Parallel()
	other, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = other.Close() }()
	o := newSandbox(t).run("--listen", other.Addr().String())
	require.Equal(t, 4, o.exit)
	require.Contains(t, o.stderr, "--listen "+other.Addr().String()+": another program listens there\n")
	require.Contains(t, o.stderr, "--listen 127.0.0.1:0")
}

// TestServingSaysWhere: and ends with exit 0 when it is told to.
func TestServingSaysWhere(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	o := s.must("--listen", "127.0.0.1:0")
	require.Regexp(t, `^spd: made a control plane in `+s.dir()+`\nspd: listening on http://127\.0\.0\.1:[0-9]+\n$`, o.stderr)
}

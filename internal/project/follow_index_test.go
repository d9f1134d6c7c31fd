package project

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheIndexIsMadeForTheFirstSession(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.must(func(ctx context.Context) error { _, err := o.reg.SelectTenant(ctx, "b"); return err })
	require.NoFileExists(t, o.Full(IndexPath))
	o.must(o.use("p"))
	require.Contains(t, mustRead(t, o.Full(IndexPath)), `"active_key": "tenant_a"`)
	require.Contains(t, mustRead(t, o.Full(IndexPath)), `"active_profile_name": "p"`)
	require.Equal(t, os.FileMode(0o600), modeOf(t, o.Full(IndexPath)))
	o.must(o.rename("p", "z"))
	require.Contains(t, mustRead(t, o.Full(IndexPath)), `"active_profile_name": "z"`)
	o.must(func(ctx context.Context) error { _, err := o.reg.EndSessions(ctx); return err })
	require.NotContains(t, mustRead(t, o.Full(IndexPath)), "active_profile_name")
}

func TestAnIndexThatSomebodyChangedStopsAChangeOfSessions(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.must(o.use("p"))
	theirs := strings.Replace(mustRead(t, o.Full(IndexPath)), "tenant_a", "tenant_b", 1)
	o.write(IndexPath, theirs)
	require.Equal(t, &ChangedError{Path: o.Full(IndexPath)}, o.use("q")(t.Context()))
	require.Equal(t, theirs, mustRead(t, o.Full(IndexPath)))
	o.must(o.setSecret("p", "openai", "key")) // which is not for the index
	require.Equal(t, theirs, mustRead(t, o.Full(IndexPath)))
	o.options.Taken = hashOf([]byte(theirs))
	o.must(o.use("q"))
	require.Contains(t, mustRead(t, o.Full(IndexPath)), `"active_profile_name": "q"`)
}

package work

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/cli/task"
)

func TestVersionTellsWhatItWasMadeOf(t *testing.T) {
	clone := &debug.BuildInfo{Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "a888ce22e4c0e2043af7e6e82d59090eece146e3"}, {Key: "vcs.time", Value: "2026-11-30T04:03:38+02:00"}, {Key: "vcs.modified", Value: "true"},
	}}
	require.Equal(t, "sp "+task.Version+"\ncommit a888ce22e4c0e2043af7e6e82d59090eece146e3 (modified)\ndate 2026-11-30T02:03:38Z\ngo "+runtime.Version()+"\n", buildOf(clone).of("sp"))

	installed := &debug.BuildInfo{Main: debug.Module{Version: "v0.0.0-20261130020338-a888ce22e4c0"}}
	require.Equal(t, "sp "+task.Version+"\ncommit a888ce22e4c0\ndate 2026-11-30T02:03:38Z\ngo "+runtime.Version()+"\n", buildOf(installed).of("sp"))

	for _, silent := range []*debug.BuildInfo{nil, {}, {Main: debug.Module{Version: "v0.1.0"}}, {Main: debug.Module{Version: "(devel)"}}} {
		require.Equal(t, "sp "+task.Version+"\ngo "+runtime.Version()+"\n", buildOf(silent).of("sp"))
	}
}

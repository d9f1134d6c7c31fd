package workspace_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// A command that was killed before it looked at what came out of the place of a small file
// leaves old secrets, or what another program wrote: the next change knows which.
func TestTheNextCommandLooksAtWhatCameOutOfASmallFile(t *testing.T) {
	t.Parallel()
	for name, kept := range map[string]bool{"old": false, "new": false, "theirs": true} {
		h := mustTrack(t)
		path := "profiles/p/secrets.json"
		full := filepath.Join(h.dir, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o700))
		h.must(t, func(context.Context, *registry.View) (workspace.Publication, error) {
			return workspace.Publication{
				Following: []registry.FollowingFile{{Path: path, Kind: "secrets", Profile: "p", Previous: hashOf("old"), Current: hashOf("new"), Due: true}},
				Place:     func() error { return nil }, Discard: func() error { return nil },
			}, nil
		}, profile("q", "a"))
		mustWrite(t, full, "new")
		mustWrite(t, filepath.Join(filepath.Dir(full), ".secrets.json.old.7.tmp"), name)
		err := h.do(func(ctx context.Context, view *registry.View) (workspace.Publication, error) {
			return workspace.SweepSmall(ctx, nil, h.dir, view, nil)
		}, profile("r", "a"))
		if !kept {
			require.NoError(t, err, name)
			require.Equal(t, []string{"secrets.json"}, names(t, filepath.Dir(full)), name)
			continue
		}
		require.ErrorIs(t, err, registry.ErrIncomplete)
		var of *place.KeptError
		require.ErrorAs(t, err, &of)
		require.Equal(t, full, of.Path)
		require.Equal(t, "theirs", mustRead(t, of.Kept))
	}
}

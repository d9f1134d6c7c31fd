package workspace_test

import (
	"bytes"
	"encoding/binary"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/workspace"
)

var digits = regexp.MustCompile(`\d+`)

// watched returns what happens to the files of tenants in the directory while fn
// runs, in order.
func (h house) watched(t *testing.T, fn func()) (events []string) {
	t.Helper()
	watch, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	require.NoError(t, err)
	defer func() { require.NoError(t, unix.Close(watch)) }()
	kinds := map[uint32]string{
		unix.IN_CREATE: "create", unix.IN_ATTRIB: "attributes", unix.IN_CLOSE_WRITE: "written", unix.IN_OPEN: "open",
		unix.IN_MOVED_FROM: "rename", unix.IN_MOVED_TO: "to", unix.IN_DELETE: "remove",
	}
	mask := uint32(0)
	for kind := range kinds {
		mask |= kind
	}
	_, err = unix.InotifyAddWatch(watch, h.dir, mask)
	require.NoError(t, err)
	fn()
	buffer := make([]byte, 64<<10)
	n, err := unix.Read(watch, buffer)
	require.NoError(t, err)
	for rest := buffer[:n]; len(rest) > 0; {
		length := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(rest[12:]))
		name := string(bytes.TrimRight(rest[unix.SizeofInotifyEvent:length], "\x00"))
		if kind := kinds[binary.NativeEndian.Uint32(rest[4:])]; kind != "" && bytes.Contains([]byte(name), []byte(workspace.TrackedName)) {
			events = append(events, kind+" "+digits.ReplaceAllString(name, "N"))
		}
		rest = rest[length:]
	}
	return events
}

// One change is one look, one temporary file, whose mode is never set because it is born
// with it, and one exchange, for which that gets a name at which recovery looks; then one
// look at what came out, which is removed. An export of nothing new is one look, and a
// change that no file shows touches nothing.
func TestChangeTouchesEachFileOnce(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	look := "open tenants.json"
	require.Equal(t, []string{
		look,
		"create .tenants.json.N.tmp", "open .tenants.json.N.tmp", "written .tenants.json.N.tmp",
		"rename .tenants.json.N.tmp", "to .tenants.json.old.N.tmp",
		"rename .tenants.json.old.N.tmp", "to tenants.json", "rename tenants.json", "to .tenants.json.old.N.tmp",
		"open .tenants.json.old.N.tmp", "remove .tenants.json.old.N.tmp",
	}, h.watched(t, func() { h.must(t, h.follower().Publish, create("b")) }))
	require.Equal(t, []string{look}, h.watched(t, func() { h.must(t, h.wanted().Publish, export) }))
	require.Equal(t, []string{look}, h.watched(t, func() { require.True(t, h.isSettled(t)) }))
	require.Empty(t, h.watched(t, func() { h.must(t, h.follower().Publish, profile("x", "a")) }))
	require.Empty(t, h.watched(t, func() { h.must(t, nil, create("c")) }))

	mustWrite(t, h.path(), foreign)
	require.Equal(t, []string{look}, h.watched(t, func() { mustConflict(t, h.do(h.wanted().Publish, export), h.path()) }))
}

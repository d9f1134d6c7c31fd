package workspace_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"regexp"
	"slices"
	"strings"
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

// One change is one temporary file, whose mode is never set because it is born with
// it, and, once it is called so that recovery looks at it, one rename, by which it and what stood there, which nobody can open for
// writing meanwhile, change places; that is removed. One that no file shows touches nothing.
func TestChangeTouchesEachFileOnce(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	look := "open tenants.json"
	write := []string{"create .tenants.json.N.tmp", "open .tenants.json.N.tmp", "written .tenants.json.N.tmp"}
	place := []string{
		look, "rename .tenants.json.N.tmp", "to .tenants.json.old.N.tmp",
		"rename .tenants.json.old.N.tmp", "to tenants.json", "rename tenants.json", "to .tenants.json.old.N.tmp",
		"remove .tenants.json.old.N.tmp",
	}
	require.Equal(t, append(append([]string{look}, write...), place...),
		h.watched(t, func() { h.must(t, h.follower().Publish, create("b")) }))
	require.Equal(t, []string{look}, slices.Compact(h.watched(t, func() { h.must(t, h.wanted().Publish, export) })),
		"and a second time, if there is a stamp to be taken")
	require.Empty(t, h.watched(t, func() { h.must(t, h.follower().Publish, profile("x", "a")) }))
	require.Empty(t, h.watched(t, func() { h.must(t, nil, create("c")) }))

	mustWrite(t, h.path(), foreign)
	require.Equal(t, []string{look}, h.watched(t, func() { mustConflict(t, h.do(h.wanted().Publish, export), h.path()) }))
}

// What is known by its stamp is not even opened.
func TestAnUnchangedFileIsNotRead(t *testing.T) {
	t.Parallel()
	h := mustSettle(t)
	require.Empty(t, h.watched(t, func() {
		require.True(t, h.isSettled(t))
		require.True(t, h.isCurrent(t, h.follower()))
		require.Equal(t, workspace.Current, h.standing(t))
	}))
	events := h.watched(t, func() { h.must(t, h.follower().Publish, create("b")) })
	require.Equal(t, "open .tenants.json.N.tmp", events[1], "nor by a change that replaces it,")
	require.Equal(t, []string{"open tenants.json", "rename .tenants.json.N.tmp"}, events[3:5], "but to keep others from writing it")
	require.Contains(t, events, "to tenants.json")
}

// What is written through a mapping is dated when its page is first touched since it
// was synced.
func TestAChangeThroughAMappingIsSeen(t *testing.T) {
	t.Parallel()
	var on unix.Statfs_t
	h := mustTrack(t)
	require.NoError(t, unix.Statfs(h.dir, &on))
	if on.Type == unix.TMPFS_MAGIC {
		t.Skip("tmpfs does not date what is written through a mapping")
	}
	text := mustRead(t, h.path())
	file, err := os.OpenFile(h.path(), os.O_RDWR, 0)
	require.NoError(t, err)
	mapped, err := unix.Mmap(int(file.Fd()), 0, len(text), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	at := strings.Index(text, "name of a")
	mapped[at] = 'N' // the page is dirty from here on
	mapped[at] = 'n'
	h.settle(t)
	mapped[at] = 'N'
	require.NoError(t, unix.Munmap(mapped))
	h.mustSeeTheChange(t)
}

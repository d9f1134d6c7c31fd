package db

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// A journal that was written over the one that sp made, in place as cp does it, is not played
// back: it holds no page with this registry's id.
func TestAJournalOfAnotherRegistryIsNotPlayedBack(t *testing.T) {
	t.Parallel()
	path, other := mustCreate(t), mustCreate(t)
	mustSpill(t, other)
	foreign := mustReadFile(t, other+journalSide)
	sector := binary.BigEndian.Uint32(foreign[20:])
	empty := bytes.Clone(foreign[:sector]) // behind which SQLite looks for another part
	binary.BigEndian.PutUint32(empty[8:], 0)
	binary.BigEndian.PutUint32(empty[16:], uint32(len(mustReadFile(t, path))/pageSize))
	for what, journal := range map[string][]byte{
		"another registry's":      foreign,
		"a part without pages":    append(empty, foreign...),
		"one that would cut off":  append(bytes.Clone(foreign[:8]), make([]byte, 1000)...),
		"pages of another size":   append(append(bytes.Clone(foreign[:24]), 0, 0, 2, 0), foreign[28:]...),
		"sectors beyond all size": append(append(bytes.Clone(foreign[:20]), 0xff, 0, 0, 0), foreign[24:]...),
	} {
		before := mustReadFile(t, path)
		require.NoError(t, os.WriteFile(path+journalSide, journal, 0o600)) // the same file
		for how, try := range tries {
			require.ErrorIs(t, try(t, path), ErrUntrusted, "%s: %s", what, how)
		}
		require.Equal(t, before, mustReadFile(t, path), what)
		require.Equal(t, journal, mustReadFile(t, path+journalSide), what)
	}
	require.NoError(t, os.Truncate(path+journalSide, 0))
	require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
	require.Equal(t, 1, mustRevision(t, path))
}

// A page with the id in a text that was imported is no page of the row that has it.
func TestAnIDIsReadFromItsRowOnly(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	lines, err := readPlace(path)
	require.NoError(t, err)
	content := mustReadFile(t, path)
	found := 0
	for at := 0; at < len(content); at += pageSize {
		if id, ok := idIn(content[at : at+pageSize]); ok {
			require.Equal(t, lines[0].id, id)
			found++
		}
	}
	require.Equal(t, 1, found)

	page := make([]byte, pageSize)
	page[0] = 0x0d
	copy(page[2000:], lines[0].id)
	_, ok := idIn(page)
	require.False(t, ok)
	for i := range page { // and nothing that stands there makes it fall
		for _, b := range []byte{0x00, 0x7f, 0x80, 0xff} {
			page[i] = b
			_, _ = idIn(page)
		}
	}
}

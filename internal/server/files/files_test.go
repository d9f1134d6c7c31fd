package files_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/archive"
	"github.com/sp-registry/sp/internal/server/files"
)

func mustOpen(t *testing.T) *files.Files {
	t.Helper()
	dir := t.TempDir()
	db, err := server.Open(t.Context(), filepath.Join(dir, "serve.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return files.New(db, dir, func() time.Time { return time.Unix(1, 0) })
}

func mustPack(t *testing.T, pairs ...string) []byte {
	t.Helper()
	var all []archive.File
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, archive.File{Path: pairs[i], Text: []byte(pairs[i+1])})
	}
	var to bytes.Buffer
	require.NoError(t, archive.Write(&to, all))
	return to.Bytes()
}

func always(*server.Queries) error { return nil }

var empty = archive.Manifest{}.ETag()

func TestATenantBeginsWithoutFiles(t *testing.T) {
	t.Parallel()
	f := mustOpen(t)
	m, err := f.Manifest(t.Context(), "a", always)
	require.NoError(t, err)
	require.Equal(t, archive.Manifest{}, m)
	text, etag, err := f.Archive(t.Context(), "a", always)
	require.NoError(t, err)
	require.Equal(t, empty, etag)
	none, err := archive.Read(bytes.NewReader(text))
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestAStateIsReplacedByWhoKnowsIt(t *testing.T) {
	t.Parallel()
	f := mustOpen(t)
	first := mustPack(t, "services/b", "b", "services/a", "a")
	m, err := f.Replace(t.Context(), "a", empty, bytes.NewReader(first), always)
	require.NoError(t, err)
	shown, err := f.Manifest(t.Context(), "a", always)
	require.NoError(t, err)
	require.Equal(t, m, shown)
	text, etag, err := f.Archive(t.Context(), "a", always)
	require.NoError(t, err)
	require.Equal(t, m.ETag(), etag)
	require.Equal(t, first, text)

	for _, ifMatch := range []string{empty, `"x"`, "W/" + m.ETag()} {
		_, err = f.Replace(t.Context(), "a", ifMatch, bytes.NewReader(mustPack(t)), always)
		require.ErrorIs(t, err, files.ErrStale, ifMatch)
	}
	for _, ifMatch := range []string{"", " "} {
		_, err = f.Replace(t.Context(), "a", ifMatch, bytes.NewReader(mustPack(t)), always)
		require.ErrorIs(t, err, files.ErrUnconditional)
	}
	_, err = f.Replace(t.Context(), "b", "*", bytes.NewReader(first), always)
	require.NoError(t, err)
	_, err = f.Replace(t.Context(), "a", `"x", `+m.ETag(), bytes.NewReader(mustPack(t)), always)
	require.NoError(t, err)
	shown, err = f.Manifest(t.Context(), "a", always)
	require.NoError(t, err)
	require.Empty(t, shown)
}

func TestARefusedArchiveReplacesNothing(t *testing.T) {
	t.Parallel()
	f := mustOpen(t)
	_, err := f.Replace(t.Context(), "a", empty, strings.NewReader("no archive"), always)
	require.ErrorIs(t, err, archive.ErrRefused)
	_, err = f.Replace(t.Context(), "a", empty, bytes.NewReader(make([]byte, archive.MaxBytes+1)), always)
	require.ErrorIs(t, err, archive.ErrRefused)
	m, err := f.Manifest(t.Context(), "a", always)
	require.NoError(t, err)
	require.Empty(t, m)
}

// Of those who begin with the same state, one gets through.
func TestOneOfManyReplacesAState(t *testing.T) {
	t.Parallel()
	f := mustOpen(t)
	outcomes := make(chan error)
	for i := range 16 {
		text := mustPack(t, "services/a", string(rune('a'+i)))
		go func() {
			_, err := f.Replace(t.Context(), "a", empty, bytes.NewReader(text), always)
			outcomes <- err
		}()
	}
	made := 0
	for range 16 {
		if err := <-outcomes; err == nil {
			made++
		} else {
			require.ErrorIs(t, err, files.ErrStale)
		}
	}
	require.Equal(t, 1, made)
}

// TestASlowPushKeepsNobodyElseWaiting, however many there are, and nothing is left of one that fails.
func TestASlowPushKeepsNobodyElseWaiting(t *testing.T) {
	t.Parallel()
	f := mustOpen(t)
	outcomes := make(chan error)
	var slow []*io.PipeWriter
	for _, tenant := range []string{"a", "b", "c", "d"} {
		body, writer := io.Pipe()
		slow = append(slow, writer)
		go func() {
			_, err := f.Replace(t.Context(), tenant, empty, body, always)
			outcomes <- err
		}()
		_, err := writer.Write([]byte{0x1f}) // the beginning is there
		require.NoError(t, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := f.Replace(ctx, "e", empty, bytes.NewReader(mustPack(t, "services/a", "a")), always)
	require.NoError(t, err)
	_, err = f.Manifest(ctx, "e", always)
	require.NoError(t, err)

	broken := errors.New("broken")
	for _, writer := range slow {
		require.NoError(t, writer.CloseWithError(broken))
		require.ErrorIs(t, <-outcomes, broken)
	}
	_, err = f.Replace(ctx, "a", empty, bytes.NewReader(mustPack(t)), always)
	require.NoError(t, err)
}

// TestWhoWaitedForFilesIsLookedAtAnew: what he may may have ended meanwhile.
func TestWhoWaitedForFilesIsLookedAtAnew(t *testing.T) {
	t.Parallel()
	f := mustOpen(t)
	ended := errors.New("ended")
	never := func(*server.Queries) error { return ended }
	_, err := f.Manifest(t.Context(), "a", never)
	require.ErrorIs(t, err, ended)
	_, _, err = f.Archive(t.Context(), "a", never)
	require.ErrorIs(t, err, ended)
}

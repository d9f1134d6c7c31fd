package main

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestALongAnswerIsKeptInAFileWithoutAName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := spool{dir: dir}
	defer s.close()
	var want bytes.Buffer
	for i := range 3 * spoolMemory / 1000 {
		line := bytes.Repeat([]byte{byte('a' + i%26)}, 1000)
		want.Write(line)
		_, err := s.Write(line)
		require.NoError(t, err)
	}
	require.LessOrEqual(t, len(s.memory), spoolMemory)
	require.NotNil(t, s.file)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries, "nothing is left if the process is killed")

	var got bytes.Buffer
	require.NoError(t, s.copyTo(&got))
	require.True(t, bytes.Equal(want.Bytes(), got.Bytes()))
}

func TestALongAnswerWithoutAPlaceIsRefusedWithAHint(t *testing.T) {
	t.Parallel()
	s := spool{dir: t.TempDir() + "/missing"}
	_, err := s.Write(make([]byte, spoolMemory+1))
	require.Equal(t, 6, failureOf(err).exit)
	require.Contains(t, failureOf(err).Hint, "TMPDIR")
}

func TestLockTimeoutIsADurationOrSeconds(t *testing.T) {
	t.Parallel()
	waitFor := func(text string) (time.Duration, error) {
		a := app{world: world{lookupEnv: func(string) (string, bool) { return text, true }}}
		return a.wait()
	}
	for text, want := range map[string]time.Duration{
		"": defaultWait, "0": 0, "7": 7 * time.Second, "1.5": 1500 * time.Millisecond, "250ms": 250 * time.Millisecond, "2m": 2 * time.Minute,
	} {
		got, err := waitFor(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"soon", "-1", "-1s", "18446744074", "1 s"} {
		_, err := waitFor(text)
		require.ErrorIs(t, err, errUsage, text)
	}
}

package cli

import (
	"bytes"
	"os"
	"testing"

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
	f := new(Program).FailureOf(err)
	require.Equal(t, 6, f.Exit)
	require.Contains(t, *f.Hint, "TMPDIR")
}

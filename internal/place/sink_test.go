package place

import (
	"bytes"
	"crypto/sha256"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestASinkWritesAndHashesTheVeryBytes(t *testing.T) {
	t.Parallel()
	random := rand.NewChaCha8([32]byte{2})
	for _, size := range []int{0, 1, piece - 1, piece, piece + 1, 3 * piece, ahead - 1, ahead, ahead + 1, ahead + piece, 2*ahead + 5} {
		for _, step := range []int{1000, 70_000, 2*piece + 1} {
			text := make([]byte, size)
			_, _ = random.Read(text) // it can't fail
			path := filepath.Join(t.TempDir(), "f")
			file, err := os.Create(path)
			require.NoError(t, err)
			s := &sink{file: file, sum: sha256.New()}
			for rest := text; len(rest) > 0; rest = rest[min(step, len(rest)):] {
				_, err := s.Write(bytes.Clone(rest[:min(step, len(rest))]))
				require.NoError(t, err)
			}
			require.NoError(t, s.end())
			require.NoError(t, file.Close())
			got, err := os.ReadFile(path)
			require.NoError(t, err)
			require.True(t, bytes.Equal(text, got), "%d by %d", size, step)
			want := sha256.Sum256(text)
			require.Equal(t, want[:], s.sum.Sum(nil))
		}
	}
}

// What can't be written is told at once or, at the latest, at the end; nobody waits for ever.
func TestASinkTellsWhatItCouldNotWrite(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, piece, ahead + 20*piece} {
		path := filepath.Join(t.TempDir(), "f")
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		file, err := os.Open(path) // only for reading
		require.NoError(t, err)
		s := &sink{file: file, sum: sha256.New()}
		failed := false
		for range size/1000 + 1 {
			if _, err := s.Write(make([]byte, 1000)); err != nil {
				failed = true
				break
			}
		}
		require.ErrorIs(t, s.end(), unix.EBADF, size)
		require.True(t, failed, "it went on and on")
		require.NoError(t, file.Close())
	}
}

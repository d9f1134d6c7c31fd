package exporter

import (
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestReadingAheadGivesAndHashesTheVeryBytes(t *testing.T) {
	t.Parallel()
	random := rand.NewChaCha8([32]byte{1})
	for _, size := range []int{0, 1, shortSize - 1, shortSize, shortSize + 1, pieceSize - 1, pieceSize, pieceSize + 1, shortSize + pieceSize, 2 * pieceSize, 5*pieceSize + 7} {
		text := make([]byte, size)
		_, _ = random.Read(text) // it can't fail
		for _, from := range []io.Reader{strings.NewReader(string(text)), iotest.OneByteReader(strings.NewReader(string(text)))} {
			sum := sha256.New()
			a := readAhead(from, sum)
			got, err := io.ReadAll(a)
			require.NoError(t, err)
			require.Equal(t, text, append([]byte{}, got...), size)
			a.stop()
			want := sha256.Sum256(text)
			require.Equal(t, want[:], sum.Sum(nil), size)
		}
	}
}

func TestWhatIsWrongWithAFileComesInItsPlace(t *testing.T) {
	t.Parallel()
	trouble := errors.New("trouble")
	for _, size := range []int{0, 3, pieceSize, 3 * pieceSize} {
		a := readAhead(io.MultiReader(strings.NewReader(strings.Repeat("x", size)), iotest.ErrReader(trouble)), sha256.New())
		got, err := io.ReadAll(a)
		require.ErrorIs(t, err, trouble)
		require.Len(t, got, size)
		a.stop()
	}
}

// touchy is a file that must be left alone.
type touchy struct {
	t    *testing.T
	mine bool
}

func (f *touchy) Read(p []byte) (int, error) {
	require.False(f.t, f.mine, "it is read though it was stopped")
	return len(p), nil
}

func TestAReadingThatWasStoppedLeavesTheFileAlone(t *testing.T) {
	t.Parallel()
	f := &touchy{t: t}
	a := readAhead(f, sha256.New())
	_, err := io.ReadFull(a, make([]byte, 3*pieceSize))
	require.NoError(t, err)
	a.stop()
	f.mine = true // the race detector sees who reads on
}

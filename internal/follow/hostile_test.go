package follow

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A quarter of what is read takes a second at most, whatever is in it, and no stack; what
// grew faster than the file would take minutes.
func TestLargeHostileFilesAreReadQuickly(t *testing.T) {
	t.Parallel()
	fill := func(head, unit, tail string) []byte {
		return []byte(head + strings.Repeat(unit, ((16<<20)/4-len(head)-len(tail))/len(unit)) + tail)
	}
	for name, text := range map[string][]byte{
		"deep":           fill(`{"a":`, `[`, ``),
		"surrogates":     fill(`{"a":"`, `\ud83d\ude00`, `"}`),
		"many names":     fill(`{"a":0`, `,"b":""`, `}`),
		"many entries":   fill(`{"sessions":{"a":0`, `,"":{"version":4}`, `}}`),
		"members within": fill(`{"sessions":{"tenant_x":{"version":4`, `,"":0`, `}}}`),
	} {
		start := time.Now()
		if _, err := readIndex(text); err != nil {
			require.ErrorIs(t, err, ErrUnusable)
		}
		require.Less(t, time.Since(start), 10*time.Second, name)
	}
}

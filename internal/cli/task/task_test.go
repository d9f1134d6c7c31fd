package task

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/cli"
)

func TestLockTimeoutIsADurationOrSeconds(t *testing.T) {
	t.Parallel()
	waitFor := func(text string) (time.Duration, error) {
		t := &Task{Context: &cli.Context{World: cli.World{LookupEnv: func(string) (string, bool) { return text, true }}}}
		return t.Wait()
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
		require.ErrorIs(t, err, cli.ErrUsage, text)
	}
}

package main

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMakeBuildMakesBothPrograms, with the same flags.
func TestMakeBuildMakesBothPrograms(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("make")
	if err != nil {
		t.Skip("there is no make")
	}
	shown, err := exec.CommandContext(t.Context(), program, "-n", "-C", "../..", "build").CombinedOutput()
	require.NoError(t, err, "%s", shown)
	for _, name := range []string{"sp", "spd"} {
		require.Regexp(t, `go build -trimpath .* -o bin/`+name+` ./cmd/`+name+`\n`, string(shown))
	}
}

func TestTheVersionIsThatOfSpd(t *testing.T) {
	t.Parallel()
	require.Regexp(t, `^spd [0-9]+\.[0-9]+\.[0-9]+\n`, newSandbox(t).must("version").stdout)
}

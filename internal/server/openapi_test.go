package server

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/openapi.yaml anew")

const described = "../../docs/openapi.yaml"

func TestTheDescriptionIsThatOfTheAPI(t *testing.T) {
	t.Parallel()
	text, err := (&Server{}).API().YAML()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(described, text, 0o644))
		return
	}
	known, err := os.ReadFile(described)
	require.NoError(t, err)
	require.Equal(t, string(known), string(text), "go test ./internal/server -run Description -update, after a look at the difference")
}

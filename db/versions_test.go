package db

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// pins are the versions that were tried together; another libc than the one that
// modernc.org/sqlite names breaks it silently.
var pins = map[string]string{
	"modernc.org/sqlite":              "v1.60.1",
	"modernc.org/libc":                "v1.77.1",
	"github.com/pressly/goose/v3":     "v3.28.0",
	"github.com/urfave/cli/v3":        "v3.14.0",
	"github.com/stretchr/testify":     "v1.12.1",
	"github.com/rogpeppe/go-internal": "v1.16.0",
	"pgregory.net/rapid":              "v1.3.0",
}

type module struct{ Version, GoMod string }

// mustModule tells what the build takes for a module; it asks no network.
func mustModule(t *testing.T, path string) (m module) {
	t.Helper()
	list := exec.Command("go", "list", "-m", "-json", path)
	list.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly", "GOTOOLCHAIN=local")
	out, err := list.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, &m))
	return m
}

// required returns the version of a module that the text of a go.mod names.
func required(t *testing.T, goMod, path string) string {
	t.Helper()
	text, err := os.ReadFile(goMod)
	require.NoError(t, err)
	found := regexp.MustCompile(`(?m)^\s*(?:require )?` + regexp.QuoteMeta(path) + ` (\S+)`).FindSubmatch(text)
	require.NotNil(t, found, "%s does not name %s", goMod, path)
	return string(found[1])
}

func TestLibcIsTheOneThatSQLiteNames(t *testing.T) {
	t.Parallel()
	sqlite := mustModule(t, "modernc.org/sqlite")
	require.Equal(t, required(t, sqlite.GoMod, "modernc.org/libc"), mustModule(t, "modernc.org/libc").Version)
}

func TestVersionsAreTheOnesThatWereTriedTogether(t *testing.T) {
	t.Parallel()
	for path, version := range pins {
		require.Equal(t, version, required(t, "../go.mod", path))
		require.Equal(t, version, mustModule(t, path).Version)
	}
}

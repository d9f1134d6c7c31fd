package database

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// hostile is a path that systemd would read otherwise, were it not escaped.
const hostile = "/a b%n%%c$HOME$$d\"e'f\\x\n\t[Service];g"

// TestAUnitIsWhatSystemdReads back, whatever the paths are.
func TestAUnitIsWhatSystemdReads(t *testing.T) {
	t.Parallel()
	analyze := harness.Need(t, "systemd-analyze")
	for _, isRoots := range []bool{false, true} {
		dir := t.TempDir()
		self := filepath.Join(dir, "a b%n$HOME", "sp")
		require.NoError(t, os.MkdirAll(filepath.Dir(self), 0o755))
		require.NoError(t, os.WriteFile(self, []byte("#!/bin/sh\n"), 0o755)) // systemd looks whether it is there
		u := unitFile{id: "aaaaaaaaaaaaaaaa-project", self: self, dir: hostile, pidFile: "/a b%n$HOME\"e'f/postmaster.pid", isRoots: isRoots}
		u.set("SP_DATA_DIR", hostile)
		u.set("SP_POSTGRES_BIN", "/usr/lib/postgresql/15/bin")
		path := filepath.Join(dir, "sp-project.service")
		require.NoError(t, os.WriteFile(path, []byte(u.text()), 0o600))
		verify := exec.Command(analyze, map[bool]string{false: "--user", true: "--system"}[isRoots], "verify", path)
		verify.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir)
		said, err := verify.CombinedOutput()
		require.NoError(t, err, "%s", said)
		require.Empty(t, strings.TrimSpace(string(said)), u.text())
	}
}

// TestAWordOfAUnitIsEscapedByTheRulesOfSystemd: as `systemd --test` reads it back.
func TestAWordOfAUnitIsEscapedByTheRulesOfSystemd(t *testing.T) {
	t.Parallel()
	u := unitFile{self: "/a b%n$HOME/sp", dir: hostile, pidFile: "/a%n"}
	u.set("SP_DATA_DIR", hostile)
	text := u.text()
	require.Contains(t, text, "\nPIDFile=/a%%n\n")
	require.Contains(t, text, "\nExecStart=\"/a b%%n$HOME/sp\" \"--dir\" \"/a b%%n%%%%c$$HOME$$$$d\\\"e'f\\\\x\\n\\t[Service];g\" \"db\" \"up\" ")
	require.Contains(t, text, "\nEnvironment=\"SP_DATA_DIR=/a b%%n%%%%c$HOME$$d\\\"e'f\\\\x\\n\\t[Service];g\"\n")
	require.Contains(t, text, "\nWantedBy=default.target\n")
	u.isRoots = true
	require.Contains(t, u.text(), "\nWantedBy=multi-user.target\n")
	require.True(t, isText(hostile, "\n\t"))
	require.False(t, isText("a\x1bb", "\n\t"))
	require.False(t, isText("a\xffb", "\n\t"))
}

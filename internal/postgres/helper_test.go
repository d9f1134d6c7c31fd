package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"
)

var password = secret.New("hunter2-hunter2-hunter2")

func mustWrite(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func mustRead(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

func modeOf(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	require.NoError(t, err)
	return info.Mode().Perm()
}

// mustProgram makes a program of a shell script.
func mustProgram(t *testing.T, path, script string) {
	t.Helper()
	syscall.ForkLock.RLock() // a child of another test that has it open for an instant would make it busy
	defer syscall.ForkLock.RUnlock()
	mustWrite(t, path, "#!/bin/sh\n"+script+"\n")
	require.NoError(t, os.Chmod(path, 0o700))
}

// programsOf makes programs in a directory that say this of their version.
func programsOf(t *testing.T, dir, version string) Programs {
	t.Helper()
	for _, name := range needed {
		mustProgram(t, filepath.Join(dir, name), "echo '"+name+" (PostgreSQL) "+version+" (Debian)'")
	}
	return Programs{Dir: dir, Version: majorOf(") " + version + " ")}
}

// soon bounds what may not take long.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

var lastPort atomic.Int32

// mustFreePort is a port on which nobody listens, and that neither another test takes nor a
// connection to elsewhere: systems lend those above to these.
func mustFreePort(t *testing.T) int {
	t.Helper()
	const from, to = 20_000, 32_000
	lastPort.CompareAndSwap(0, from+rand.Int32N(to-from-2*near))
	for {
		port := int(lastPort.Add(1))
		err := checkPort(port)
		if !errors.Is(err, ErrTaken) {
			require.NoError(t, err)
			return port
		}
	}
}

// entries are the names in a directory.
func entries(t *testing.T, dir string) string {
	t.Helper()
	found, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, entry := range found {
		names = append(names, entry.Name())
	}
	return strings.Join(names, " ")
}

func requireNoSecret(t *testing.T, err error) {
	t.Helper()
	require.NotContains(t, fmt.Sprintf("%v %+v", err, err), password.Reveal())
}

package live

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	bornWith = regexp.MustCompile(`(?:open.*O_CREAT.*|mkdir.*), 0([0-7]+)(?:\)| <unfinished)`)
	maskedBy = regexp.MustCompile(`umask\(0?([0-7]+)(?:\)| <unfinished)`)
)

// TestWhatAServerIsMadeOfIsBornPrivate: under no umask at all nothing of a server of this
// machine's programs, of a container's files or of a rotation is another user's to open, in
// sp nor in the programs that it runs.
func TestWhatAServerIsMadeOfIsBornPrivate(t *testing.T) {
	needStrace(t)
	t.Parallel()
	s := newScene(t, "born")
	script := filepath.Join(s.dir, "script")
	require.NoError(t, os.WriteFile(script, []byte(`#!/bin/sh -e
trap 'sp db down' EXIT
umask 0
sp init
sp export
sp tenant create --name born --id born --provider local
sp profile create p --tenant born
sp tenant rotate-credentials born -y
sp db down
sp db up
`), 0o700))
	log := filepath.Join(s.dir, "strace.log")
	// To the end of the server, too, for strace waits for all that it follows.
	o := s.run("strace", "-f", "-qq", "-o", log, "-e", "trace=umask,open,openat,mkdir,mkdirat,execve", "--seccomp-bpf", script)
	require.Zero(t, o.exit, o.stderr)
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Empty(t, bornOpen(t, string(text)))
}

// bornOpen lists the calls that made what others could open, if only for an instant. Threads,
// and programs that set no mask of their own, have the one of the sp that ran last.
func bornOpen(t *testing.T, log string) (found []string) {
	t.Helper()
	unmasked, made, last := map[string]bool{}, 0, ""
	for _, line := range strings.Split(log, "\n") {
		pid, call, _ := strings.Cut(line, " ")
		if strings.Contains(call, `execve("`+sp()+`"`) {
			last, unmasked[pid] = pid, true
		}
		if set := maskedBy.FindStringSubmatch(call); set != nil {
			unmasked[pid] = octal(set[1])&0o077 != 0o077
		}
		if _, own := unmasked[pid]; !own {
			pid = last
		}
		if born := bornWith.FindStringSubmatch(call); born != nil {
			made++
			if unmasked[pid] && octal(born[1])&0o077 != 0 {
				found = append(found, line)
			}
		}
	}
	require.Greater(t, made, 100, "an initdb makes more")
	return found
}

func octal(digits string) uint64 {
	n, _ := strconv.ParseUint(digits, 8, 32) // the expressions take no others
	return n
}

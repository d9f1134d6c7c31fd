package torture

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLongWorkIsCalledOffAsAWhole (fault 29): an import and an export of many tenants that
// are told to end when half of it is done leave every byte as it was.
func TestLongWorkIsCalledOffAsAWhole(t *testing.T) {
	n := sized(t, 100_000, 1_000_000)
	t.Parallel()
	p := newPlace(t)
	text := manyTenants(n)
	p.Must("init")
	require.NoError(t, os.WriteFile(filepath.Join(p.Dir, "in.json"), []byte(text), 0o600))
	reads := func(pid int) bool { return positionIn(pid, filepath.Join(p.Dir, "in.json")) > len(text)/2 }
	writes := func(int) bool { return renderedFor(p.Store(""), "tenants.json") > len(text)/2 }
	p.mustCallOff(syscall.SIGINT, "import in.json", reads) // into an empty registry
	p.Must("import", "in.json")
	changed := strings.ReplaceAll(text, "s3cret", "other1")
	require.NoError(t, os.WriteFile(filepath.Join(p.Dir, "in.json"), []byte(changed), 0o600))
	p.mustCallOff(syscall.SIGTERM, "import in.json", reads) // over what is there
	p.Must("tenant", "edit", "t7", "--region", "w", "--no-export")
	p.mustCallOff(syscall.SIGINT, "export", writes)
	p.mustCallOff(syscall.SIGTERM, "export --path copy.json", func(int) bool { return renderedFor(p.Dir, "copy.json") > len(text)/2 })
	require.NoFileExists(t, filepath.Join(p.Dir, "copy.json"))
	require.Zero(t, renderedFor(p.Dir, "copy.json"))
	p.Must("export")
	p.mustCallOff(syscall.SIGTERM, "tenant edit t7 --region x", writes) // the file that follows it
	p.Must("export", "--check")
}

// mustCallOff tells a command to end when it has come so far.
func (p place) mustCallOff(told syscall.Signal, line string, halfway func(pid int) bool) {
	p.T.Helper()
	before := p.contents()
	cmd := p.Command(strings.Fields(line)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	require.NoError(p.T, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for !halfway(cmd.Process.Pid) {
		select {
		case err := <-ended:
			require.Fail(p.T, "it ended by itself", "%s: %v: %s", line, err, stderr.String())
		case <-time.After(time.Millisecond):
		}
	}
	require.NoError(p.T, cmd.Process.Signal(told))
	require.Error(p.T, <-ended, line)
	require.Equal(p.T, 128+int(told), cmd.ProcessState.ExitCode(), "%s: %s", line, stderr.String())
	require.Equal(p.T, before, p.contents(), line)
}

// positionIn is how far a process has read a file that it has open.
func positionIn(pid int, path string) (position int) {
	fds := fmt.Sprintf("/proc/%d/fd", pid)
	entries, _ := os.ReadDir(fds) // none when it is over
	for _, entry := range entries {
		if to, _ := os.Readlink(filepath.Join(fds, entry.Name())); to != path {
			continue
		}
		info, _ := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%s", pid, entry.Name()))
		_, _ = fmt.Sscanf(string(info), "pos: %d", &position)
	}
	return position
}

// renderedFor is the size of what is being written for a file.
func renderedFor(dir, name string) (size int) {
	found, _ := filepath.Glob(filepath.Join(dir, "."+name+".*.tmp"))
	for _, path := range found {
		if info, err := os.Stat(path); err == nil { // else it just got its name
			size += int(info.Size())
		}
	}
	return size
}

package torture

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// maxInitialised is how many packages set themselves up before main, in every command.
const maxInitialised = 148

// TestAStartInitialisesNoMore counts the packages that a start initialises: each costs every
// command, whether or not it is used.
func TestAStartInitialisesNoMore(t *testing.T) {
	sized(t, 1, 1)
	p := newGate(t)
	p.Env = append(p.Env, "GODEBUG=inittrace=1")
	o := p.Run("version")
	require.Zero(t, o.Exit, o.Stderr)
	initialised := regexp.MustCompile(`(?m)^init \S+ @`).FindAllString(o.Stderr, -1)
	require.Greater(t, len(initialised), 20, "what was counted?")
	require.LessOrEqual(t, len(initialised), maxInitialised, o.Stderr)
}

// instructions are how many a command may execute itself, the kernel's apart, at that many
// tenants: what resolve reads does not depend on how many there are.
var instructions = []struct {
	line    string
	tenants int
	bound   int
}{
	{"version", 10, 2_130_000},
	{"resolve", 10, 5_500_000},
	{"resolve", 330, 5_600_000}, // 54 pages: a file of up to 72 has a sum, a larger one none
	{"resolve", 1000, 5_600_000},
}

// TestCommandsExecuteNoMore counts instructions in valgrind, the least of some runs: how often the
// runtime's threads look whether there is anything to do is chance.
func TestCommandsExecuteNoMore(t *testing.T) {
	runs := sized(t, 3, 20)
	valgrind := harness.Need(t, "valgrind")
	p := newGate(t)
	home := p.Dir
	for _, c := range instructions {
		p.Dir = filepath.Join(home, fmt.Sprint(c.tenants))
		if _, err := os.Stat(p.Dir); err != nil {
			p.populate(c.tenants)
		}
		counts := []int{p.executed(valgrind, c.line)}
		for len(counts) < runs || len(counts) < most*runs && slices.Min(counts) > c.bound {
			counts = append(counts, p.executed(valgrind, c.line))
		}
		t.Logf("%s, %d tenants: %d of %v", c.line, c.tenants, slices.Min(counts), counts)
		require.LessOrEqual(t, slices.Min(counts), c.bound, "%s, %d tenants", c.line, c.tenants)
	}
}

// populate makes a registry of that many tenants, with a session.
func (p place) populate(tenants int) {
	p.T.Helper()
	require.NoError(p.T, os.Mkdir(p.Dir, 0o700))
	require.NoError(p.T, os.WriteFile(filepath.Join(p.Dir, "in.json"), []byte(manyTenants(tenants)), 0o600))
	p.Must("import", "in.json")
	p.Must("profile", "create", "p", "--tenant", "t7")
	p.Must("session", "switch", "p")
}

var collected = regexp.MustCompile(`Collected : (\d+)`)

func (p place) executed(valgrind, line string) int {
	p.T.Helper()
	args := append([]string{"--tool=callgrind", "--callgrind-out-file=/dev/null", p.SP}, strings.Fields(line)...)
	cmd := exec.Command(valgrind, args...)
	cmd.Dir, cmd.Env = p.Dir, append(p.Env, "GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=1") // of the runtime's chances the fewest
	out, err := cmd.CombinedOutput()
	require.NoError(p.T, err, "%s", out)
	found := collected.FindSubmatch(out)
	require.NotNil(p.T, found, "%s", out)
	count, err := strconv.Atoi(string(found[1]))
	require.NoError(p.T, err)
	return count
}

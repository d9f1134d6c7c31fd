package torture

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// limits are arguments of ulimit: of memory in KiB, of open files, of the size of files
// in blocks of 512 bytes.
func limits() []string {
	all := []string{"-v 60000", "-v 200000", "-v 800000"}
	for files := 3; files < 17; files++ {
		all = append(all, fmt.Sprintf("-n %d", files))
	}
	for root := range 12 {
		all = append(all, fmt.Sprintf("-f %d", root*root*2))
	}
	return all
}

// TestLimitsOfTheSystemChangeNothing (fault 39): files may not grow, few may be open,
// little memory is to be had. A change is made or not, and said so.
func TestLimitsOfTheSystemChangeNothing(t *testing.T) {
	sized(t, 1, 1)
	t.Parallel()
	p := newPlace(t)
	p.settle()
	in := filepath.Join(p.Dir, "big.json")
	require.NoError(t, os.WriteFile(in, []byte(manyTenants(500)), 0o600))
	refused, done := 0, 0
	for i, limit := range limits() {
		for _, command := range []string{fmt.Sprintf("tenant edit a --region r%d", i), "import big.json", "export --path copy.json"} {
			if p.isMadeWithin(limit, command) {
				done++
			} else {
				refused++
			}
		}
	}
	t.Logf("%d refused, %d made", refused, done)
	require.Greater(t, refused, 20)
	require.Positive(t, done)
	p.Must("import", "big.json")
	p.Must("export", "--check")
	require.True(t, isWhole(t, mustRead(t, p.Store("sp.db"))))
}

// isMadeWithin tells whether a change was made; if not, it must have changed nothing.
func (p place) isMadeWithin(limit, command string) bool {
	p.T.Helper()
	before, said := p.contents(), p.Must("tenant", "list")
	o := p.Ran(p.After("ulimit "+limit, strings.Fields(command)...))
	if o.Exit == 0 {
		return true
	}
	told := fmt.Sprintf("ulimit %s: %s: exit %d: %.300s", limit, command, o.Exit, o.Stderr)
	require.NotEmpty(p.T, o.Stderr, told)
	require.Equal(p.T, said, p.Must("tenant", "list"), told) // which takes back what the command itself could not
	switch {
	case strings.HasPrefix(limit, "-v"): // Go's runtime ended the process, anywhere
		p.Must("tenant", "select", "a")
		p.Must("export", "--check")
		return false
	case strings.HasPrefix(o.Stderr, "runtime: "): // or at its start: it needs up to 8 files for itself
		require.Contains(p.T, []string{"-n 3", "-n 4", "-n 5", "-n 6", "-n 7", "-n 8"}, limit, told)
	default:
		require.Equal(p.T, 6, o.Exit, told)
	}
	require.Equal(p.T, before, p.contents(), told)
	return false
}

// TestManyTenantsTakeBoundedTimeAndMemory (fault 27): a hundred thousand, and names of a
// mebibyte.
func TestManyTenantsTakeBoundedTimeAndMemory(t *testing.T) {
	n := sized(t, 20_000, 1_000_000)
	p := newPlace(t)
	p.Must("init")
	text := manyTenants(n)
	text = strings.Replace(text, `"name": "big"`, `"name": "`+strings.Repeat("n", 1<<20)+`"`, 1)
	require.NoError(t, os.WriteFile(filepath.Join(p.Dir, "in.json"), []byte(text), 0o600))
	for _, command := range []string{"import in.json", "export", "tenant list --json", "tenant edit t7 --region x", "resolve --tenant t9", "tenant show big", "status"} {
		start := time.Now()
		peak := p.peak(command)
		t.Logf("%d tenants: %s: %s, %.0f MiB", n, command, time.Since(start).Round(time.Millisecond), peak)
		require.Less(t, peak, 128.0, command)
	}
}

// TestAChangeSyncsNoMoreThanItMust (B14): seven calls are what durability costs: the journal
// twice, the file, the directory of the journal's end, the temporary file, its
// directory, and one to spare.
func TestAChangeSyncsNoMoreThanItMust(t *testing.T) {
	sized(t, 1, 1)
	harness.NeedStrace(t)
	p := newPlace(t)
	p.settle()
	syncs := p.traced(strings.Fields("tenant create --id b --name b --database-url postgres://h/b")).syncs
	t.Logf("%d syncs", syncs)
	require.LessOrEqual(t, syncs, 7)
	require.GreaterOrEqual(t, syncs, 5, "is that durable?")

	for _, command := range []string{"tenant edit a --region %d", "resolve"} {
		var took []time.Duration
		for i := range 60 {
			start := time.Now()
			if strings.Contains(command, "%") {
				p.Must(strings.Fields(fmt.Sprintf(command, i))...)
			} else {
				p.Must(command)
			}
			took = append(took, time.Since(start))
		}
		slices.Sort(took)
		t.Logf("whole process, %d cores: %s: p50 %s, p99 %s", runtime.NumCPU(), command, took[30], took[59])
	}
}

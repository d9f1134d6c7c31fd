// Package torture holds sp to its guarantees where it hurts: crashes, faults, races,
// power cuts, strangers on the same machine. It has tests only, which run the real
// program as processes; docs/inside/guarantees.md says which promise each one settles.
//
// `go test ./...` skips them. `make guarantees` runs the small size of each and
// forbids skipping, `make torture` the long one.
package torture

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/sp-registry/sp/internal/harness"
)

var size = flag.String("size", "", "how much to run: small or long; nothing without it")

func init() {
	flag.BoolVar(&harness.Strict, "strict", harness.Strict, "fail where a tool is missing instead of skipping")
}

// spPath is the program under test, built once by TestMain.
var spPath string

func TestMain(m *testing.M) {
	harness.Roles{"runner": runMeasured}.Play()
	flag.Parse()
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	if *size == "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "sp-torture-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	spPath = filepath.Join(dir, "sp")
	if err := harness.Build(spPath); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// sized returns how much of something to do, or skips the test when nothing is asked.
func sized(t *testing.T, small, long int) int {
	t.Helper()
	switch *size {
	case "small":
		return small
	case "long":
		return long
	}
	t.Skip("make guarantees runs it")
	return 0
}

// place is a directory to run sp in; the program is that of TestMain unless a variant is tried.
type place struct{ harness.Place }

func newPlace(t *testing.T) place {
	t.Helper()
	return placeIn(t, spPath, t.TempDir())
}

func placeIn(t *testing.T, sp, dir string) place {
	return place{harness.Place{T: t, SP: sp, Dir: dir, Env: harness.Environment(dir, "TMPDIR="+dir, "SP_OFFLINE=1")}}
}

package torture

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// TestAToldEndLeavesNothingHalfDone sweeps SIGTERM over the writing system calls of
// commands (fault 29): either all is taken back at once, by the command itself, or the
// change was made.
func TestAToldEndLeavesNothingHalfDone(t *testing.T) {
	sized(t, 1, 1)
	harness.NeedStrace(t)
	for _, s := range shapesOf(*size) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			stride := s.stride(4)
			w := &sweep{scene: newScene(t, s.first(), spPath), names: writes, wants: writesThere, happens: always("signal=TERM")}
			kinds := tally{}
			w.all(stride, func(at harness.Call, o harness.Outcome) {
				kind, err := w.judgeTold(o)
				require.NoError(t, err, "told at %s %d, %s: exit %d, %s", at.Name, at.Rank, at.On, o.Exit, o.Stderr)
				kinds[kind]++
			})
			w.report(t, stride, kinds.String())
		})
	}
}

// judgeTold judges what a command left that was told to end. Before it has begun, and
// when nothing is left to do but to answer, the signal may end it by itself.
func (sc *scene) judgeTold(o harness.Outcome) (kind string, err error) {
	kind, d := "ended with 143, old state", demand{to: len(sc.shape.through)}
	switch o.Exit {
	case 143:
		if sc.shape.piecemeal {
			kind, d = "ended with 143, mended in part", demand{to: len(sc.stages) - 1}
		}
	case -1:
		kind, d = "ended by the signal", demand{to: len(sc.stages) - 1}
		if o.Stdout != "" && !strings.Contains(o.Stdout, `"interrupted"`) {
			d = sc.acknowledged(1)
		}
	case 0:
		kind, d = "done", sc.acknowledged(1)
	default:
		return "", fmt.Errorf("it is no other trouble")
	}
	if sc.timesTold() > 1 { // strace counts in each thread; who is told twice leaves at once
		kind = "told twice"
	}
	there, err := readTree(sc.Dir)
	if err != nil {
		return "", err
	}
	for _, path := range there.paths() {
		if _, was := sc.start[path]; was || strings.HasPrefix(path, keptFiles) || kind == "told twice" {
			continue
		}
		if strings.HasSuffix(path, ".tmp") || strings.Contains(path, "sp.db.new") || strings.HasSuffix(path, "-journal") && !isEmptyJournal(filepath.Join(sc.Dir, path)) {
			return "", fmt.Errorf("it left %s", path)
		}
	}
	f, err := sc.judge()
	if err != nil {
		return "", err
	}
	return kind, f.meets(d)
}

// timesTold is how many signals the last command got.
func (sc *scene) timesTold() int {
	text, err := os.ReadFile(sc.beside("strace.log"))
	require.NoError(sc.T, err)
	return strings.Count(string(text), "--- SIGTERM ")
}

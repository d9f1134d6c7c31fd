package registry

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// keeper keeps the tenants of a world: the registry, or the rule alone.
type keeper interface {
	// change makes of the tenants what next says, and undo takes back the last change, after
	// which they are next; takeOver merges the file. They return the revision of the last
	// change of tenants, and the file is published with that if the world says so.
	change(w *world, next side) int64
	undo(w *world, next side) int64
	takeOver(w *world, settle Side) (int64, []Conflict)
	tenants(w *world) []Tenant
}

// world is a keeper with a file, and other programs that read and write that.
type world struct {
	oracle
	keeper
	*rapid.T
	now      time.Time       // by sp's clock
	clock    time.Time       // by the file system's
	bySP     map[string]bool // see snapshot
	before   side            // the last change, nil if there is none to undo
	stands   bool            // another program's file stands there, and not the last snapshot
	programs []paper
	number   int
	publish  bool
	revision int64 // the last that concerned tenants

	merges, conflicted, young int
}

// moments are by what a clock goes on, or is set: ten minutes, and just not.
var moments = []time.Duration{
	0, time.Second, time.Minute, 4 * time.Minute, 10*time.Minute - time.Second, 10 * time.Minute, 11 * time.Minute, time.Hour,
	-time.Minute, -15 * time.Minute, -time.Hour,
}

func newWorld(t *rapid.T, k keeper) *world {
	w := &world{keeper: k, T: t, now: noon, clock: noon, bySP: map[string]bool{}, publish: true}
	w.ours = side{}
	w.changes()
	for range 2 {
		w.programs = append(w.programs, w.paper())
	}
	return w
}

// paper is what a program reads now.
func (w *world) paper() paper {
	if w.stands {
		return paper{content: w.file.content.clone(), read: w.file.read}
	}
	last := len(w.shown) - 1
	return paper{content: w.shown[last].state.clone(), read: last}
}

func (w *world) pass() {
	w.clock = w.clock.Add(rapid.SampledFrom(moments).Draw(w.T, "file system"))
	w.now = w.now.Add(rapid.SampledFrom(moments).Draw(w.T, "clock"))
}

func (w *world) step() {
	w.pass()
	program := &w.programs[rapid.IntRange(0, 1).Draw(w.T, "program")]
	switch what := rapid.IntRange(0, 9).Draw(w.T, "what"); {
	case what < 2:
		w.publish = !w.stands && rapid.IntRange(0, 3).Draw(w.T, "exports") > 0
		w.changes()
	case what < 3 && w.before != nil:
		w.publish = !w.stands && rapid.Bool().Draw(w.T, "exports")
		w.settled(w.before, w.undo(w, w.before), true)
	case what < 5:
		*program = w.paper()
	case what < 7 || !w.stands:
		w.write(program)
	default:
		w.merge()
	}
}

// changes has sp change one tenant.
func (w *world) changes() {
	next := w.ours.clone()
	next.edit(w.T, "our", &w.number)
	w.settled(next, w.change(w, next), true)
}

// settled notes what a change did, and the snapshot if it was published.
func (w *world) settled(next side, revision int64, bySP bool) {
	before := w.revision
	w.revision = revision
	ids := maps.Clone(next)
	maps.Copy(ids, w.ours)
	for id := range ids {
		for _, member := range append([]string{is}, modelled...) {
			value := next.value(id, member)
			if value == w.ours.value(id, member) && (w.ours[id] == nil) == (next[id] == nil) {
				continue
			}
			if w.bySP[id+"/"+member] = bySP; !bySP {
				w.taken = append(w.taken, takeover{revision: w.revision, id: id, member: member, value: value, gone: next[id] == nil})
			}
		}
	}
	if w.before = nil; w.revision != before {
		w.before = w.ours
	}
	w.ours = next
	if !w.publish {
		return
	}
	w.stands = false
	if n := len(w.shown); n == 0 || w.shown[n-1].revision != w.revision {
		w.shown = append(w.shown, snapshot{revision: w.revision, written: w.clock, state: next.clone(), bySP: maps.Clone(w.bySP)})
	}
}

// write has a program edit what it read, drop what its version does not know, and write it.
func (w *world) write(p *paper) {
	for range rapid.IntRange(0, 2).Draw(w.T, "edits") {
		p.content.edit(w.T, "their", &w.number)
	}
	for _, member := range []string{"sync_token", "shared_container_db", "x", "y"} {
		if rapid.IntRange(0, 3).Draw(w.T, "drops "+member) > 0 {
			continue
		}
		for _, m := range p.content {
			m[member] = ""
		}
	}
	w.diverge(p)
	w.file = paper{content: p.content.clone(), read: p.read}
	w.written, w.stands = w.clock, true
}

// diverge has a program choose by chance nothing that sp chose since the program read.
func (w *world) diverge(p *paper) {
	read := w.shown[p.read].state
	for _, later := range w.shown[p.read+1:] {
		for _, thing := range slices.Sorted(maps.Keys(later.bySP)) {
			id, member, _ := strings.Cut(thing, "/")
			theirs := p.content.value(id, member)
			unedited := theirs == read.value(id, member) && (member == is || read[id] != nil)
			if !later.bySP[thing] || unedited || theirs != later.state.value(id, member) || member != is && later.state[id] == nil {
				continue
			}
			switch {
			case member == is && read[id] != nil:
				p.content[id] = maps.Clone(read[id])
			case member != is && p.content[id] != nil && read[id] != nil:
				p.content[id][member] = read[id][member]
			case member != is && p.content[id] != nil: // its own tenant: as it wrote it first
				first := slices.IndexFunc(w.taken, func(t takeover) bool { return t.id == id && t.member == member })
				p.content[id][member] = w.taken[first].value
			}
		}
	}
}

// merge has sp take over the file, and compares what comes of it with what the oracle says.
func (w *world) merge() {
	w.publish = rapid.IntRange(0, 3).Draw(w.T, "exports") > 0
	settle := rapid.SampledFrom([]Side{Nobody, Nobody, Nobody, Theirs, Ours}).Draw(w.T, "settle")
	want, conflicts := w.merged(settle)
	w.merges++
	if w.known() < len(w.shown)-1 {
		w.young++
	}
	revision, got := w.takeOver(w, settle)
	if settle == Nobody && conflicts != nil {
		w.conflicted++
		require.Equal(w, conflicts, got)
		require.Equal(w, w.revision, revision)
		want = w.ours
	} else {
		require.Empty(w, got)
		w.settled(want, revision, false)
	}
	w.requireTenants(want)
}

func (w *world) requireTenants(want side) {
	got := revealAll(w.tenants(w))
	slices.Sort(got)
	for i := range got {
		got[i] = lateX.ReplaceAllString(got[i], `{"x":$2,"y":$1}`)
	}
	require.Equal(w, revealAll(want.tenants()), got)
}

// lateX is where x was added to y, behind it.
var lateX = regexp.MustCompile(`\{"y":(\d+),"x":(\d+)\}`)

// TestTheRuleOfAMergeIsAsTheOracleSays has two programs read, change and write the file beside
// sp, over many rounds, with clocks that jump, and compares each merge with what somebody says
// who knows who has read what.
func TestTheRuleOfAMergeIsAsTheOracleSays(t *testing.T) {
	t.Parallel()
	var all tally
	rapid.Check(t, func(t *rapid.T) {
		for range 20 { // worlds: the two thousand of a check
			newWorld(t, &history{past: map[string][]version{}}).run(&all)
		}
	})
	t.Log(all)
}

// TestAMergeIsAsTheOracleSays is the same on registries, which are fewer.
func TestAMergeIsAsTheOracleSays(t *testing.T) {
	t.Parallel()
	dir, n, all := harness.QuickDir(t), 0, tally{}
	rapid.Check(t, func(t *rapid.T) {
		if rapid.IntRange(0, 3).Draw(t, "is none") > 0 {
			return
		}
		n++
		k := &deskKeeper{desk: mustDeskAt(t, filepath.Join(dir, fmt.Sprintf("%d.db", n)))}
		newWorld(t, k).run(&all)
		require.NoError(t, k.Close())
	})
	t.Log(all)
}

// tally is what was compared, so that it shows whether anything was.
type tally struct{ worlds, merges, conflicted, young int }

func (t tally) String() string {
	return fmt.Sprintf("%d worlds, %d merges, %d in conflict, %d of a file that is older than something there", t.worlds, t.merges, t.conflicted, t.young)
}

func (w *world) run(all *tally) {
	for range 20 {
		w.step()
	}
	all.worlds, all.merges, all.conflicted, all.young = all.worlds+1, all.merges+w.merges, all.conflicted+w.conflicted, all.young+w.young
}

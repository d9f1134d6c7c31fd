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
	// which they are next; takeOver merges a file, and tells its steps. They return the revision
	// of the last change of tenants, and the file is published with that if the world says so.
	change(w *world, next side) int64
	undo(w *world, next side) int64
	takeOver(w *world, f written, settle Side) (int64, []Step, []Conflict)
	tenants(w *world) []Tenant
}

// world is a keeper with a file, and other programs that read and write that.
type world struct {
	oracle
	keeper
	*rapid.T
	now      time.Time         // by sp's clock
	clock    time.Time         // by the file system's
	bySP     map[string]bool   // see snapshot
	origins  map[string]origin // of what is there, by id and member
	before   side              // the last change, nil if there is none to undo
	stands   bool              // another program's file stands there, and not the last snapshot
	kept     []written         // what came out when sp put a snapshot in its place
	holds    map[int]bool      // see snapshot
	programs []paper
	number   int
	files    int
	publish  bool
	revision int64 // the last that concerned tenants

	tally
}

// origin is the change that made something as it is, and the file that it took over, 0 for sp.
type origin struct {
	revision int64
	file     int
	aside    bool
}

// moments are by what a clock goes on, or is set: ten minutes, and just not.
var moments = []time.Duration{
	0, time.Second, time.Minute, 4 * time.Minute, 10*time.Minute - time.Second, 10 * time.Minute, 11 * time.Minute, time.Hour,
	-time.Minute, -15 * time.Minute, -time.Hour,
}

func newWorld(t *rapid.T, k keeper) *world {
	w := &world{keeper: k, T: t, now: noon, clock: noon, bySP: map[string]bool{}, origins: map[string]origin{}, holds: map[int]bool{}, publish: true}
	w.ours = side{}
	w.changes()
	for range 2 {
		w.programs = append(w.programs, w.paper())
	}
	return w
}

// paper is what a program reads now.
func (w *world) paper() paper {
	content, read, knows := w.file.content, w.file.read, w.file.knows
	if !w.stands {
		read = len(w.shown) - 1
		content, knows = w.shown[read].state, w.shown[read].holds
	}
	return paper{content: content.clone(), read: read, knows: maps.Clone(knows)}
}

func (w *world) pass() {
	w.clock = w.clock.Add(rapid.SampledFrom(moments).Draw(w.T, "file system"))
	w.now = w.now.Add(rapid.SampledFrom(moments).Draw(w.T, "clock"))
}

func (w *world) step() {
	w.pass()
	program := w.program()
	switch what := rapid.IntRange(0, 9).Draw(w.T, "what"); {
	case what < 2:
		w.publish = !w.stands && rapid.IntRange(0, 3).Draw(w.T, "exports") > 0
		w.changes()
		w.meet()
	case what < 3 && w.before != nil && !w.meetsByChance(w.before):
		w.publish = !w.stands && rapid.Bool().Draw(w.T, "exports")
		w.settled(w.before, w.undo(w, w.before), written{})
		w.meet()
	case what < 5:
		*program = w.paper()
	case what < 7 || !w.stands && len(w.kept) == 0:
		w.file, w.stands = w.write(program), true
	default:
		w.merge()
	}
}

func (w *world) program() *paper { return &w.programs[rapid.IntRange(0, 1).Draw(w.T, "program")] }

// changes has sp change one tenant.
func (w *world) changes() {
	next := w.ours.clone()
	next.edit(w.T, "our", &w.number)
	if !w.meetsByChance(next) {
		w.settled(next, w.change(w, next), written{})
	}
}

// meetsByChance tells whether sp would choose something that a program chose in a file that was kept
// aside and waits: that would show something that was not read.
func (w *world) meetsByChance(next side) bool {
	for _, f := range w.kept {
		read := w.shown[f.read].state
		for id := range w.everSeen() {
			for _, member := range append([]string{is}, modelled...) {
				value := next.value(id, member)
				there := next[id] != nil && f.content[id] != nil
				edited := value != read.value(id, member) || read[id] == nil
				if value == f.content.value(id, member) && value != w.ours.value(id, member) && edited && (member == is || there) {
					return true
				}
			}
		}
	}
	return false
}

// settled notes what a change did, which took over a file or was sp's, and the snapshot if it was
// published.
func (w *world) settled(next side, revision int64, f written) {
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
			w.origins[id+"/"+member] = origin{w.revision, f.number, f.aside}
			if w.bySP[id+"/"+member] = f.number == 0; f.number > 0 {
				w.taken = append(w.taken, takeover{w.revision, id, member, value, next[id] == nil, f.aside, w.now})
			}
		}
	}
	if w.before = nil; w.revision != before {
		w.before = w.ours
		w.past = append(w.past, snapshot{revision: w.revision, state: next.clone()})
	}
	w.ours = next
	if !w.publish {
		return
	}
	w.stands = false
	if n := len(w.shown); n == 0 || w.shown[n-1].revision != w.revision {
		w.shown = append(w.shown, snapshot{w.revision, w.clock, next.clone(), maps.Clone(w.bySP), maps.Clone(w.holds)})
	}
}

// meet has a program write while sp puts the snapshot in its place: what it wrote comes out, and is
// kept aside. It goes on with what it has, or reads what stands there.
func (w *world) meet() {
	if !w.publish || rapid.IntRange(0, 2).Draw(w.T, "meets") > 0 {
		return
	}
	program := w.program()
	f := w.write(program)
	f.aside, f.at = true, f.at.Add(rapid.SampledFrom(moments).Draw(w.T, "writes"))
	w.kept = append(w.kept, f)
	if rapid.Bool().Draw(w.T, "reads") {
		*program = w.paper()
	}
}

// write has a program edit what it read, drop what its version does not know, and write it.
func (w *world) write(p *paper) written {
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
	w.files++
	p.knows[w.files] = true
	return written{
		paper:  paper{content: p.content.clone(), read: p.read, knows: maps.Clone(p.knows)},
		number: w.files, at: w.clock,
	}
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

// merge has sp take over what was kept aside, the oldest first, and then the file. Of what was kept
// some is still being written, and waits, and some is merged again, because the command was stopped
// before it was removed.
func (w *world) merge() {
	publish := rapid.IntRange(0, 3).Draw(w.T, "exports") > 0
	settle := rapid.SampledFrom([]Side{Nobody, Nobody, Nobody, Theirs, Ours}).Draw(w.T, "settle")
	slices.SortStableFunc(w.kept, func(a, b written) int { return a.at.Compare(b.at) })
	var files, stay []written
	for _, f := range w.kept {
		what := rapid.IntRange(0, 9).Draw(w.T, "of what was kept")
		if what > 0 {
			files = append(files, f)
		}
		if what < 2 {
			stay = append(stay, f)
		}
	}
	if w.stands {
		files = append(files, w.file)
	}
	for i, f := range files {
		if w.publish = publish && i == len(files)-1; !w.mergeOne(f, settle) {
			return // and what it merged already, it merges again
		}
	}
	w.kept = stay
	w.meet()
}

// mergeOne has sp take over a file, and compares what comes of it with what the oracle says.
func (w *world) mergeOne(f written, settle Side) (merged bool) {
	o := w.oracle
	o.file = f
	want, conflicts := o.merged(settle)
	w.merges++
	if f.aside {
		w.asides++
	}
	if o.known() < len(w.shown)-1 {
		w.young++
	}
	revision, steps, got := w.takeOver(w, f, settle)
	if settle == Nobody && conflicts != nil {
		w.conflicted++
		require.Equal(w, conflicts, got)
		require.Equal(w, w.revision, revision)
		w.requireTenants(w.ours)
		return false
	}
	require.Empty(w, got)
	w.requireTenants(want)
	w.requireTold(f, want, steps)
	if known := o.known(); settle != Theirs && known <= f.read {
		w.requireKept(f, want, o.base(known))
	}
	w.holds[f.number] = true
	w.settled(want, revision, f)
	return true
}

// requireTold fails where a program changed what it knew, and sp did not do so and is silent.
func (w *world) requireTold(f written, want side, steps []Step) {
	told := map[string]bool{}
	for _, s := range steps {
		if s.Action == Stay || s.Action == Gone {
			told[string(s.ID)] = true
		}
		for _, member := range s.Stale {
			told[string(s.ID)+"/"+member] = true
		}
	}
	for thing, from := range w.origins {
		id, member, _ := strings.Cut(thing, "/")
		knew := f.knows[from.file] || from.revision <= w.shown[f.read].revision
		theirs := f.content.value(id, member)
		if !knew || want.value(id, member) == theirs || member != is && (want[id] == nil || f.content[id] == nil || isSilent(member, theirs)) {
			continue
		}
		require.True(w, told[id] || told[thing], "%s stays, and nobody is told", thing)
	}
}

// requireKept fails where a file takes back what another did in one that was kept aside, of which
// its program knew nothing, and which it did not edit.
func (w *world) requireKept(f written, want, base side) {
	read := w.shown[f.read]
	for thing, from := range w.origins {
		id, member, _ := strings.Cut(thing, "/")
		ours, theirs := w.ours.value(id, member), f.content.value(id, member)
		edited := theirs != read.state.value(id, member)
		there := want[id] != nil && w.ours[id] != nil && f.content[id] != nil
		if !from.aside || f.knows[from.file] || from.revision <= read.revision || edited || member != is && !there {
			continue
		}
		again := ours == base[id][member]                             // it was so before, and nobody can tell
		other := slices.ContainsFunc(w.taken, func(t takeover) bool { // which counts as its own
			return !t.aside && t.id == id && (t.member == is || t.member == member) && t.revision > read.revision
		})
		if !again && !other {
			require.Equal(w, ours, want.value(id, member), thing)
		}
	}
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
			newWorld(t, &history{past: map[string][]version{}, made: map[int64]time.Time{}}).run(&all)
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
type tally struct{ worlds, merges, asides, conflicted, young int }

func (t tally) String() string {
	return fmt.Sprintf("%d worlds, %d merges, %d of what was kept aside, %d in conflict, %d of a file that is older than something there",
		t.worlds, t.merges, t.asides, t.conflicted, t.young)
}

func (w *world) run(all *tally) {
	for range 20 {
		w.step()
	}
	all.worlds, all.merges, all.asides = all.worlds+1, all.merges+w.merges, all.asides+w.asides
	all.conflicted, all.young = all.conflicted+w.conflicted, all.young+w.young
}

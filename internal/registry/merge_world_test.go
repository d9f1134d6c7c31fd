package registry

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// world is a registry with its file, and other programs that read and write that.
type world struct {
	*desk
	oracle
	*rapid.T
	clock    time.Time       // of the file system
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

func mustWorld(t *rapid.T, path string) *world {
	w := &world{desk: mustDeskAt(t, path), T: t, clock: noon, bySP: map[string]bool{}, publish: true}
	w.ours = side{}
	w.publishes(&w.clock)
	published := w.Registry.options.Publish
	w.Registry.options.Publish = func(ctx context.Context, v *View) (Publication, error) {
		p, err := published(ctx, v)
		if w.revision = p.Files[0].TenantsRevision; !w.publish {
			return Publication{}, err
		}
		return p, err
	}
	w.change(func(s side) side { s.edit(t, "our", &w.number); return s })
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
		w.change(func(s side) side { s.edit(w.T, "our", &w.number); return s })
	case what < 3 && w.before != nil:
		w.publish = !w.stands && rapid.Bool().Draw(w.T, "exports")
		w.undo()
	case what < 5:
		*program = w.paper()
	case what < 7 || !w.stands:
		w.write(program)
	default:
		w.merge()
	}
}

// change has sp make of its state what edit does.
func (w *world) change(edit func(side) side) {
	next := edit(w.ours.clone())
	i := file(next.tenants()...)
	i.Exact, i.Prune = true, true
	before := w.revision
	_, err := w.ImportTenants(context.Background(), i)
	require.NoError(w, err)
	w.settled(next, before, true)
}

// undo has sp take back the last change, whoever made it.
func (w *world) undo() {
	before := w.revision
	_, err := w.Undo(context.Background(), Undo{Sequence: &before})
	require.NoError(w, err)
	w.settled(w.before, before, true)
}

// settled notes what a change did, and the snapshot if it was published.
func (w *world) settled(next side, before int64, bySP bool) {
	ids := maps.Clone(next)
	maps.Copy(ids, w.ours)
	for id := range ids {
		for _, member := range append([]string{is}, modelled...) {
			value := next.value(id, member)
			if value == w.ours.value(id, member) && (w.ours[id] == nil) == (next[id] == nil) {
				continue
			}
			if w.bySP[id+"/"+member] = bySP; !bySP {
				w.taken = append(w.taken, takeover{revision: w.revision, id: id, member: member, value: value})
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
			if !later.bySP[thing] || theirs == read.value(id, member) || theirs != later.state.value(id, member) {
				continue
			}
			switch {
			case member == is && read[id] != nil:
				p.content[id] = maps.Clone(read[id])
			case member != is && p.content[id] != nil && read[id] != nil:
				p.content[id][member] = read[id][member]
			case member != is && p.content[id] != nil: // its own tenant: as it stood there first
				first := slices.IndexFunc(w.shown, func(s snapshot) bool { return s.state[id] != nil })
				p.content[id][member] = w.shown[first].state[id][member]
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
	before := w.revision
	b := mergeOf(w.shown[len(w.shown)-1].revision, settle, w.file.content.tenants()...)
	b.Written = w.written
	_, err := w.TakeOver(context.Background(), b)
	if settle == Nobody && conflicts != nil {
		w.conflicted++
		var all *ConflictsError
		require.ErrorAs(w, err, &all)
		slices.SortFunc(all.Conflicts, func(a, b Conflict) int { return cmp.Compare(a.ID, b.ID) })
		require.Equal(w, conflicts, all.Conflicts)
		require.Equal(w, before, w.revision)
		w.requireState(w.ours)
		return
	}
	require.NoError(w, err)
	w.settled(want, before, false)
	w.requireState(want)
}

func (w *world) requireState(want side) {
	v, err := w.View(context.Background())
	require.NoError(w, err)
	defer v.Close()
	got := revealAll(mustAll(w, v.Tenants(context.Background(), Page{})))
	slices.Sort(got)
	for i := range got {
		got[i] = lateX.ReplaceAllString(got[i], `{"x":$2,"y":$1}`)
	}
	require.Equal(w, revealAll(want.tenants()), got)
}

// lateX is where x was added to y, behind it.
var lateX = regexp.MustCompile(`\{"y":(\d+),"x":(\d+)\}`)

// TestAMergeIsAsTheOracleSays has two programs read, change and write the file beside sp,
// over many rounds, with clocks that jump, and compares each merge with what somebody says
// who knows who has read what. Each run is a registry with about twenty merges.
func TestAMergeIsAsTheOracleSays(t *testing.T) {
	t.Parallel()
	dir, run, merges, conflicted, young := mustMemoryDir(t), 0, 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		w := mustWorld(t, filepath.Join(dir, fmt.Sprintf("%d.db", run)))
		for range 60 {
			w.step()
		}
		require.NoError(t, w.Close())
		merges, conflicted, young = merges+w.merges, conflicted+w.conflicted, young+w.young
	})
	t.Logf("%d merges, %d in conflict, %d of a file of which something is young", merges, conflicted, young)
}

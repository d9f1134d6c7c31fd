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

// scene is a shape with the project that it starts from, in one directory where
// every state that is judged is laid out in turn: a copy is remembered by its path.
type scene struct {
	place
	shape shape
	start tree
	// stages are what may be found: before the steps, on the way, and after each.
	stages []stage
	left   tree // by the steps when they were recorded
}

// stage is what a project shows, and what it shows when the next command is through.
type stage struct{ now, next view }

// view is what can be seen of a project. What differs between two runs is loose.
type view struct {
	answer  pattern            // of sp export -, with the exit code
	files   map[string]pattern // tenants.json and the copies; one that is missing is ""
	dump    pattern            // the database; only of what was mended
	listing pattern            // all files and their modes; only of what was mended
	doctor  pattern            // what it finds wrong; only in what was mended
}

// glance is a view as it is seen once.
type glance struct {
	answer, dump, listing, doctor string
	files                         map[string]string
}

func newScene(t *testing.T, s shape, sp string) *scene {
	t.Helper()
	base := harness.QuickDir(t)
	sc := &scene{shape: s, place: placeIn(t, sp, filepath.Join(base, "project"))}
	sc.Env = append(sc.Env, "PATH=/nowhere", "HOME="+base, "TMPDIR="+base, "GOMAXPROCS=1")
	require.NoError(t, os.MkdirAll(filepath.Join(sc.Dir, "out"), 0o700)) // for copies
	for name, text := range inputs() {
		require.NoError(t, os.WriteFile(filepath.Join(sc.Dir, name), []byte(text), 0o600))
	}
	if s.contained {
		require.NoError(t, os.MkdirAll(sc.Store("docker"), 0o700))
		require.NoError(t, os.WriteFile(sc.Store("docker/shared.yaml"), []byte("name: systemprompt-shared-db\n"), 0o600))
	}
	for _, line := range s.before {
		sc.Must(strings.Fields(line)...)
	}
	if s.foreign != "" {
		require.NoError(t, os.WriteFile(sc.Store("tenants.json"), []byte(s.foreign), 0o600))
	}
	var err error
	sc.start, err = readTree(sc.Dir)
	require.NoError(t, err)
	if s.spoil != nil {
		s.spoil(sc.start)
	}
	for i := range len(s.through) + 1 {
		sc.stages = append(sc.stages, sc.stageAfter(s.through[:i]))
	}
	for i := range s.steps {
		sc.stages = append(sc.stages, sc.stageAfter(s.steps[:i+1]))
	}
	sc.mustTellStagesApart()
	return sc
}

// text is that of a file of the project.
func (sc *scene) text(path string) string {
	sc.T.Helper()
	text, err := os.ReadFile(filepath.Join(sc.Dir, path))
	require.NoError(sc.T, err)
	return string(text)
}

// stageAfter is what there is after some commands, learnt by running them twice.
func (sc *scene) stageAfter(lines []string) stage {
	var now, next [2]glance
	for i := range 2 {
		require.NoError(sc.T, sc.start.layOut(sc.Dir))
		for _, line := range lines {
			sc.Must(strings.Fields(line)...)
		}
		now[i] = sc.glance(false)
		for _, line := range sc.shape.later() {
			sc.Must(strings.Fields(line)...)
		}
		next[i] = sc.glance(true)
	}
	return stage{now: sc.viewOf(now), next: sc.viewOf(next)}
}

func (sc *scene) viewOf(seen [2]glance) view {
	same := func(of func(glance) string) pattern {
		p, err := newPattern(of(seen[0]), of(seen[1]))
		require.NoError(sc.T, err)
		return p
	}
	v := view{
		answer:  same(func(g glance) string { return g.answer }),
		dump:    same(func(g glance) string { return g.dump }),
		listing: same(func(g glance) string { return g.listing }),
		doctor:  same(func(g glance) string { return g.doctor }),
		files:   map[string]pattern{},
	}
	for path := range seen[0].files {
		v.files[path] = same(func(g glance) string { return g.files[path] })
	}
	return v
}

// glance looks at the project; a mended one is looked at in whole.
func (sc *scene) glance(whole bool) glance {
	g, err := sc.look(whole)
	require.NoError(sc.T, err)
	return g
}

// look tells an error for what no project may show, whatever was stopped in it.
func (sc *scene) look(whole bool) (glance, error) {
	there, err := readTree(sc.Dir)
	if err != nil {
		return glance{}, err
	}
	if err := sc.mustBeSafe(there); err != nil {
		return glance{}, err
	}
	g := glance{files: map[string]string{}}
	for _, path := range append(following(), sc.shape.copies...) {
		g.files[path] = string(there[path].data)
	}
	read := sc.Run("export", "-")
	g.answer = fmt.Sprintf("exit %d\n%s", read.Exit, read.Stdout)
	_, made := there[filepath.Join(".systemprompt", "sp.db")]
	refused := read.Exit == 6 && (!made || sc.shape.spoil != nil) // at which stage, they know themselves
	if !refused && (!made || read.Exit != 0) || strings.Contains(read.Stderr, canary) {
		return g, fmt.Errorf("sp export - says exit %d: %s", read.Exit, read.Stderr)
	}
	if !whole {
		return g, nil
	}
	g.listing = there.listing()
	if g.doctor, err = sc.findings(); err != nil {
		return g, err
	}
	g.dump, err = dump(sc.Store("sp.db"))
	if sc.shape.piecemeal { // how many changes it took tells where it was stopped
		g.dump = countedRevision.ReplaceAllString(g.dump, "")
	}
	return g, err
}

// following are the files that may follow the registries of the shapes.
func following() []string {
	files := []string{".systemprompt/tenants.json", ".systemprompt/sessions/index.json"}
	for _, name := range []string{"p", "q", "r", "z", "mend"} {
		dir := ".systemprompt/profiles/" + name
		files = append(files, dir+"/profile.yaml", dir+"/secrets.json", dir+"/notes.txt", dir+"/docker/compose.yaml")
	}
	return files
}

// mustTellStagesApart makes sure that a step that was not done can be seen.
func (sc *scene) mustTellStagesApart() {
	sc.T.Helper()
	for i := 1; i < len(sc.stages); i++ {
		before, after := sc.stages[i-1], sc.stages[i]
		same := before.now.answer.matches(strings.Join(after.now.answer.lines, "\n")) &&
			before.next.dump.matches(strings.Join(after.next.dump.lines, "\n")) &&
			before.now.matchesFiles(after.now)
		require.False(sc.T, same, "%s: step %d changes nothing that can be seen", sc.shape.name, i)
	}
}

func (v view) matchesFiles(other view) bool {
	for path, p := range v.files {
		if !p.matches(strings.Join(other.files[path].lines, "\n")) {
			return false
		}
	}
	return true
}

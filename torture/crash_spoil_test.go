package torture

import (
	"bytes"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/harness"
)

const (
	registryFile = ".systemprompt/sp.db"
	keptFiles    = registryFile + ".bak-restore-"
)

// countedRevision is a line of a dump that counts the changes.
var countedRevision = regexp.MustCompile(`(?m)^\w+ \d+ (?:revision|sequence) .*\n`)

// change lets fn change a file of the tree, in a copy of what it holds.
func (x tree) change(path string, fn func(*node)) {
	n := x[path]
	n.data = bytes.Clone(n.data)
	fn(&n)
	x[path] = n
}

// shredded leaves remains of the registry, which start as no database does, and a
// journal beside them, which must not be played back into what comes in their place.
func shredded(x tree) {
	x.change(registryFile, func(n *node) { copy(n.data, bytes.Repeat([]byte{0xA5}, sector)) })
	x[registryFile+"-journal"] = node{mode: 0o600, data: bytes.Repeat([]byte("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"+canary), 1000)}
}

// damaged destroys a page of the registry, which is known for one all the same.
func damaged(x tree) {
	const page = 4096
	x.change(registryFile, func(n *node) { copy(n.data[3*page:4*page], bytes.Repeat([]byte{0xA5}, page)) })
}

// neglected opens the project to others, takes its .gitignore away, and lets lie about
// what a stopped command left long ago, and a copy whose time is over.
func neglected(x tree) {
	open := func(mode fs.FileMode) func(*node) {
		return func(n *node) { n.mode = n.mode.Type() | mode }
	}
	x.change(".systemprompt", open(0o755))
	x.change(registryFile, open(0o644))
	x.change(".systemprompt/tenants.json", open(0o644))
	delete(x, ".systemprompt/.gitignore")
	x[".systemprompt/.tenants.json.4711.tmp"] = node{mode: 0o600, data: []byte(canary)}
	x[keptFiles+"20200101T000000.000000Z"] = node{mode: 0o600, data: []byte(canary)}
}

// shared has another program add a secret to the files of the profile q, and people a
// comment and a file of their own.
func shared(x tree) {
	const dir = ".systemprompt/profiles/q/"
	x.change(dir+"secrets.json", func(n *node) { n.data = bytes.Replace(n.data, []byte("{"), []byte(`{"github": "`+canary+`",`), 1) })
	x.change(dir+"profile.yaml", func(n *node) { n.data = append([]byte("# mine\n"), n.data...) })
	x[dir+"notes.txt"] = node{mode: 0o600, data: []byte("mine")}
}

// mustBeSafe tells what no state of the project may be, whatever it shows.
func (sc *scene) mustBeSafe(there tree) error {
	from := sc.start.exposed()
	for _, exposed := range there.exposed() {
		if !slices.Contains(from, exposed) {
			return fmt.Errorf("others can reach %s", exposed)
		}
	}
	if sc.shape.keeps && !there.keeps(sc.start) {
		return fmt.Errorf("what the registry was is nowhere")
	}
	return nil
}

// keeps tells whether the registry's file of another tree is there to the byte, with
// its journal, where it was or as an automatic copy.
func (x tree) keeps(was tree) bool {
	return slices.ContainsFunc(x.paths(), func(path string) bool {
		if path != registryFile && !strings.HasPrefix(path, keptFiles) {
			return false
		}
		// One journal may be gone already where the other is not yet needed.
		return bytes.Equal(x[path].data, was[registryFile].data) &&
			bytes.Equal(x[path+"-journal"].data, was[registryFile+"-journal"].data)
	})
}

// findings are doctor's warnings and errors, but for the age of the last sync, which
// grows.
func (sc *scene) findings() (string, error) {
	o := sc.Run("doctor")
	if o.Exit != 0 && o.Exit != 6 || strings.Contains(o.Stdout+o.Stderr, canary) {
		return "", fmt.Errorf("sp doctor says exit %d: %s%s", o.Exit, o.Stdout, o.Stderr)
	}
	var found strings.Builder
	for line := range strings.Lines(o.Stdout) {
		bad := strings.HasPrefix(line, "warning\t") || strings.HasPrefix(line, "error\t")
		if bad && !strings.Contains(line, "\tsynced\t") {
			found.WriteString(line)
		}
	}
	return found.String(), nil
}

// keepsItsWord holds doctor to what it said that it mended.
func (sc *scene) keepsItsWord(o harness.Outcome) error {
	left, err := sc.findings()
	if err != nil {
		return err
	}
	for line := range strings.Lines(o.Stdout) {
		rest, said := strings.CutPrefix(line, "fixed\t")
		check, _, _ := strings.Cut(rest, "\t")
		if said && strings.Contains(left, "\t"+check+"\t") && !strings.Contains(o.Stdout, "error\t"+check+"\t") {
			return fmt.Errorf("it said that it had mended %s, and then: %s", check, left)
		}
	}
	if o.Exit == 0 && left != "" {
		return fmt.Errorf("it said that nothing is wrong, and then: %s", left)
	}
	return nil
}

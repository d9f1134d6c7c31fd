package torture

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// finding says which stages a state can be taken for: its registry, and the oldest
// of the files that follow it.
type finding struct {
	registry []int
	files    int // the newest stage that all files have reached
	hot      bool
}

// judge looks at the state that is laid out in the scene, lets the next command mend
// it, and looks again. An error is a promise that is broken whatever was acknowledged.
func (sc *scene) judge() (finding, error) {
	var f finding
	before, err := readTree(sc.Dir)
	if err != nil {
		return f, err
	}
	f.hot = len(before[filepath.Join(".systemprompt", "sp.db-journal")].data) > 0
	seen, err := sc.look(false)
	if err != nil {
		return f, err
	}
	if f.files, err = sc.stageOfFiles(seen); err != nil {
		return f, err
	}
	shown := sc.stagesThat(func(s stage) string { return s.now.answer.difference(seen.answer) })
	if len(shown.stages) == 0 {
		return f, fmt.Errorf("the registry is of no stage: %s", shown.why)
	}
	if err := sc.letTimePass(before); err != nil {
		return f, err
	}
	for _, line := range sc.shape.later() {
		if o := sc.Run(strings.Fields(line)...); o.Exit != 0 {
			return f, fmt.Errorf("the next command, sp %s: exit %d: %s", line, o.Exit, o.Stderr)
		}
		if err := sc.mustHaveSwept(); err != nil {
			return f, fmt.Errorf("after the next command, sp %s: %w", line, err)
		}
	}
	mended, err := sc.look(true)
	if err != nil {
		return f, fmt.Errorf("after the next command: %w", err)
	}
	settled := sc.stagesThat(func(s stage) string { return s.next.difference(mended) })
	f.registry = both(shown.stages, settled.stages)
	if len(f.registry) == 0 {
		return f, fmt.Errorf("after the next command it is of no stage: %s", settled.why)
	}
	return f, nil
}

// mustHaveSwept tells of secrets that are left in a file under a name for the time being.
func (sc *scene) mustHaveSwept() error {
	there, err := readTree(sc.Dir)
	for path, n := range there {
		if strings.Contains(path, ".tmp") && strings.Contains(string(n.data), canary) {
			return fmt.Errorf("%s holds secrets", path)
		}
	}
	return err
}

// letTimePass makes what was left unfinished old enough that no command can be at it:
// doctor spares the .gitignore of the last minute.
func (sc *scene) letTimePass(left tree) error {
	for _, path := range left.paths() {
		if strings.HasSuffix(path, ".tmp") {
			path = filepath.Join(sc.Dir, path)
			if err := os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// candidates are stages that something can be of, and why it is not of the others.
type candidates struct {
	stages []int
	why    string
}

func (sc *scene) stagesThat(difference func(stage) string) candidates {
	var c candidates
	for i, s := range sc.stages {
		if why := difference(s); why != "" {
			c.why += fmt.Sprintf("[stage %d] %s ", i, why)
		} else {
			c.stages = append(c.stages, i)
		}
	}
	return c
}

// stageOfFiles returns the newest stage that every file has reached; one that is of
// no stage is torn, or nobody's.
func (sc *scene) stageOfFiles(seen glance) (int, error) {
	reached := len(sc.stages) - 1
	for path, text := range seen.files {
		of := sc.stagesThat(func(s stage) string { return s.now.files[path].difference(text) })
		if len(of.stages) == 0 { // a directory is renamed before what is in it is written
			for _, name := range []string{"/profiles/q/", "/profiles/r/"} {
				before := strings.Replace(path, "/profiles/z/", name, 1)
				more := sc.stagesThat(func(s stage) string { return s.now.files[before].difference(text) })
				of.stages = append(of.stages, more.stages...)
			}
		}
		if len(of.stages) == 0 {
			return 0, fmt.Errorf("%s is neither old nor new: %s", path, of.why)
		}
		reached = min(reached, of.stages[len(of.stages)-1])
	}
	return reached, nil
}

// difference compares all that is seen of a mended project.
func (v view) difference(g glance) string {
	all := []string{v.answer.difference(g.answer), v.dump.difference(g.dump), v.listing.difference(g.listing), v.doctor.difference(g.doctor)}
	for path, p := range v.files {
		all = append(all, p.difference(g.files[path]))
	}
	for _, why := range all {
		if why != "" {
			return why
		}
	}
	return ""
}

func both(a, b []int) []int {
	var common []int
	for _, x := range a {
		for _, y := range b {
			if x == y {
				common = append(common, x)
			}
		}
	}
	return common
}

// demand is what must hold of a finding: the registry is of a stage from one to
// another, and the files have reached a third.
type demand struct{ from, to, files int }

// acknowledged demands that the first steps are there with all that follows.
func (sc *scene) acknowledged(steps int) demand {
	if steps > 0 {
		steps += len(sc.shape.through)
	}
	return demand{from: steps, to: len(sc.stages) - 1, files: steps}
}

func (f finding) meets(d demand) error {
	for _, stage := range f.registry {
		if stage >= d.from && stage <= d.to {
			if f.files < d.files {
				return fmt.Errorf("the files are of stage %d, and %d was acknowledged", f.files, d.files)
			}
			return nil
		}
	}
	return fmt.Errorf("the registry is of stage %v, which must be from %d to %d", f.registry, d.from, d.to)
}

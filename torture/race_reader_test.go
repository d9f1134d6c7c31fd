package torture

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// snapshot is what a reader saw of all tenants.
type snapshot struct {
	span
	how     string
	numbers map[string]string
	order   []string
	file    bool // read from tenants.json, which is put in place after the commit
}

// look reads in one of the ways there are.
func (w *writer) look() {
	var s snapshot
	switch w.dice.IntN(6) {
	case 0:
		s = w.observe("tenant", "list", "--json")
	case 1:
		s = w.observe("export", "-")
	case 2:
		s = w.observeFile()
	case 3:
		w.observeSession()
		return
	case 4: // its own tenant: nobody else changes it
		_, o := w.do(0, "resolve", "--tenant", w.name)
		if want := numbered(w.name, w.numbers[w.name]); o.Stdout != want+"\n" {
			w.problem("resolve: %s, and not %s", o.Stdout, want)
		}
		return
	default:
		w.do(0, "explain", "--json")
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.snapshots = append(w.snapshots, s)
	if !s.file { // the file is behind until it is in place
		w.shared.read(s.numbers["shared"], s.span)
	}
}

func (r *race) observe(args ...string) snapshot {
	s, o := r.do(0, args...)
	return r.snapshotOf(strings.Join(args, " "), s, []byte(o.Stdout))
}

func (r *race) observeFile() snapshot {
	start := time.Since(r.began)
	text, err := os.ReadFile(r.Store("tenants.json"))
	if err != nil {
		r.problem("%v", err)
	}
	s := r.snapshotOf("tenants.json", span{start, time.Since(r.began)}, text)
	s.file = true
	return s
}

func (r *race) snapshotOf(how string, s span, text []byte) snapshot {
	var document struct {
		Tenants []struct {
			ID, Region string
			URL        string `json:"database_url"`
		}
	}
	if err := json.Unmarshal(text, &document); err != nil {
		r.problem("%s: %v: %.200s", how, err, text)
	}
	seen := snapshot{span: s, how: how, numbers: map[string]string{}}
	for _, t := range document.Tenants {
		seen.order = append(seen.order, t.ID)
		if t.ID == "shared" {
			seen.numbers[t.ID] = t.Region
			continue
		}
		_, n, _ := strings.Cut(t.URL, "/"+t.ID+"-")
		seen.numbers[t.ID] = n
		if t.Region != "" && t.Region != n { // two members that are changed together
			r.problem("%s: tenant %s: region %s and %s are of two changes", how, t.ID, t.Region, t.URL)
		}
	}
	return seen
}

func (w *writer) observeSession() {
	s, o := w.do(0, "status", "--json")
	var status struct {
		Session struct{ Name string } `json:"session_profile"`
		Export  struct{ State string }
	}
	if err := json.Unmarshal([]byte(o.Stdout), &status); err != nil || status.Export.State != "current" && status.Export.State != "behind" {
		w.problem("status: %v: %s", err, o.Stdout)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.session.read(status.Session.Name, s)
}

// incoherent says which snapshots are of no state that there was, or of no state at
// that time, or can't be put in one order with the others.
func incoherent(snapshots []snapshot, all []*writer) (problems []string) {
	type placed struct {
		snapshot
		states []int // of each writer
	}
	var seen []placed
	for _, s := range snapshots {
		p := placed{snapshot: s}
		for _, w := range all {
			state, err := w.stateIn(s)
			if err != "" {
				problems = append(problems, err)
				return problems
			}
			p.states = append(p.states, state)
		}
		seen = append(seen, p)
	}
	slices.SortFunc(seen, func(a, b placed) int { return sum(a.states) - sum(b.states) })
	for i, later := range seen {
		for _, earlier := range seen[:i] {
			if !noneAhead(earlier.states, later.states) {
				problems = append(problems, fmt.Sprintf("%s at %s and %s at %s can't both have been", earlier.how, earlier.start, later.how, later.start))
			}
			if later.end < earlier.start && sum(later.states) > sum(earlier.states) && !earlier.file {
				problems = append(problems, fmt.Sprintf("%s at %s saw less than %s before it, at %s", earlier.how, earlier.start, later.how, later.start))
			}
		}
	}
	return problems
}

// stateIn returns which of the writer's states a snapshot shows: one that was
// acknowledged before it began, or later, but begun before it ended.
func (w *writer) stateIn(s snapshot) (int, string) {
	mine := map[string]string{}
	for id, n := range s.numbers {
		if id == w.name || strings.HasPrefix(id, w.name+"-") {
			mine[id] = n
		}
	}
	state := slices.IndexFunc(w.states, func(numbers map[string]string) bool { return maps.Equal(numbers, mine) })
	switch {
	case state < 0:
		return 0, fmt.Sprintf("%s: %s never had this state: %v", s.how, w.name, mine)
	case w.spans[state].start > s.end:
		return 0, fmt.Sprintf("%s saw a change of %s before it was begun", s.how, w.name)
	case state+1 < len(w.spans) && w.spans[state+1].end < s.start:
		return 0, fmt.Sprintf("%s at %s did not see a change of %s that was acknowledged at %s", s.how, s.start, w.name, w.spans[state+1].end)
	}
	return state, ""
}

func noneAhead(a, b []int) bool {
	for i := range a {
		if a[i] > b[i] {
			return false
		}
	}
	return true
}

func sum(numbers []int) (total int) {
	for _, n := range numbers {
		total += n
	}
	return total
}

package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sp-registry/sp/bench/pair"
	"github.com/sp-registry/sp/bench/scenarios"
)

// report is what a run found.
type report struct {
	machine machine
	begin   time.Time
	full    bool
	scale   float64
	bench   *scenarios.Bench
	itself  []scenarios.Itself // sp against its copy, the last one counts
	figures []scenarios.Figure
}

// measure begins with sp against itself: until a copy of it is as fast as it, nothing
// that is measured means anything.
func (r *report) measure(o options) error {
	for attempt := range max(1, o.attempts) {
		e, err := r.bench.Itself(attempt + 1)
		if err != nil {
			return err
		}
		r.itself = append(r.itself, e)
		note("sp / its copy: %s", e)
		if !e.Void() {
			break
		}
	}
	for _, goal := range scenarios.Goals {
		if wanted(o.only, goal.ID) {
			r.figures = append(r.figures, r.bench.Measure(goal)...)
		}
	}
	return nil
}

// void tells whether the figures count for nothing.
func (r *report) void() bool { return len(r.itself) == 0 || r.itself[len(r.itself)-1].Void() }

// passed tells whether the run counts and all gates are held, as far as it went.
func (r *report) passed() bool {
	return !r.void() && !slices.ContainsFunc(r.figures, func(f scenarios.Figure) bool {
		return f.Verdict() == pair.Missed || f.Verdict() == pair.Failed
	})
}

// whole tells whether nothing went wrong and no peer is missing that a gate needs.
func (r *report) whole() bool {
	return !slices.ContainsFunc(r.figures, func(f scenarios.Figure) bool { return f.Verdict() == pair.Failed })
}

// save writes the results and, if the run counts, the table of the document.
func (r *report) save(o options) error {
	name := fmt.Sprintf("%s-%s", r.begin.UTC().Format(time.DateOnly), r.machine.host)
	if r.full {
		name += "-full"
	}
	if o.only != "" {
		name += "-" + strings.ToLower(strings.ReplaceAll(o.only, ",", "-"))
	}
	path := filepath.Join(o.results, name+".md")
	text := r.String()
	if err := errors.Join(os.MkdirAll(o.results, 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		return err
	}
	note("%s", path)
	fmt.Print(text)
	switch {
	case o.docs == "":
		return nil
	case r.void() || o.only != "":
		note("%s stays as it is: the run is void or not of all goals", o.docs)
		return nil
	}
	link, err := filepath.Rel(filepath.Dir(o.docs), path)
	if err != nil {
		return err
	}
	from := fmt.Sprintf("From [%s](%s): sp of commit %s on %s (%s).\n\n", filepath.Base(path), filepath.ToSlash(link), r.machine.commit, r.machine.host, r.machine.cpu)
	return updateDocument(o.docs, from+table(r.figures))
}

// String is the file of results.
func (r *report) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "# Benchmark of %s on %s\n\n", r.begin.UTC().Format("2006-01-02 15:04"), r.machine.host)
	if r.void() {
		text.WriteString("**VOID: sp differs from its own copy by more than chance; nothing below counts.**\n\n")
	}
	text.WriteString(table(r.figures))
	text.WriteString("\nA figure is the median of the ratios of its rounds, with the 95 % interval (for the memory of imports and exports: the least and the\n" +
		"most that was seen). A gate or stretch is held by the far end of the interval.\n\n")
	r.writeConditions(&text)
	return text.String()
}

// writeConditions says under which circumstances all this holds.
func (r *report) writeConditions(text *strings.Builder) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(text, "- %s: %s\n", name, fmt.Sprintf(format, args...))
	}
	for i, e := range r.itself {
		line(fmt.Sprintf("sp / its copy, attempt %d", i+1), "%s", e)
	}
	line("sp", "%s", r.machine.commit)
	line("machine", "%s, %s, kernel %s", r.machine.cpu, r.machine.memory, r.machine.kernel)
	line("load before and after", "%s; %s", r.machine.load, loadNow())
	line("took", "%s, %.2g times the usual rounds (200; 50 of 10k, 15 or 7 of 100k, 5 of 1M tenants), 3 warm-ups (1 of 5 rounds), page cache warm", time.Since(r.begin).Round(time.Second), r.scale)
	versions := []string{r.machine.goVersion}
	if r.machine.rustc != "" {
		versions = append(versions, r.machine.rustc)
	}
	for _, jq := range r.bench.Peers.JQ {
		versions = append(versions, jq.Name)
	}
	if r.bench.Peers.SQLite != nil {
		versions = append(versions, "sqlite3 "+r.bench.Peers.SQLite.Version)
	}
	line("versions", "%s", strings.Join(versions, ", "))
	files := r.bench.Files()
	for _, n := range slices.Sorted(maps.Keys(files)) {
		line(fmt.Sprintf("registry of %d", n), "%d bytes, SHA-256 %s", files[n].Size, files[n].SHA256)
	}
}

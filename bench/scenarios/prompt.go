package scenarios

import (
	"fmt"
	"os/exec"

	"github.com/sp-registry/sp/bench/pair"
)

// prompt is P6. The hook of the shell comes later; what can be measured now is the
// floor: two tests of a file in bash, by `$(sp resolve)` in the same shell.
func prompt(b *Bench) ([]Figure, error) {
	const name = "the prompt's hook, nothing changed / `$(sp resolve)`"
	later := Figure{Name: name, Bound: pair.Bound{Stretch: 0.005}, Missing: "the hook is not built yet"}
	bash, err := exec.LookPath("bash")
	if err != nil {
		return []Figure{later}, nil
	}
	place, err := b.place(1000)
	if err != nil {
		return []Figure{later}, err
	}
	const tests, resolves = 10_000, 20
	script := func(label string, times int, body string) pair.Command {
		loop := fmt.Sprintf("cd .systemprompt; for ((i = 0; i < %d; i++)); do %s; done", times, body)
		return pair.Command{Label: label, Program: bash, Args: []string{"--norc", "-c", loop}, Dir: place.Dir}
	}
	s, err := b.Rig.Compare(b.rounds(100_000), script("tests", tests, "[[ sp.db -nt .lock || -e sp.db-journal ]] || :"),
		script("resolves", resolves, `x=$(`+b.Peers.SP.Path+` resolve) || exit`))
	if err != nil {
		return []Figure{later}, err
	}
	ratios := pair.Ratios(s.Times("tests"), s.Times("resolves"))
	for i := range ratios {
		ratios[i] *= float64(resolves) / tests
	}
	return []Figure{later, {
		Name: "its floor, two tests of files in bash / the same", Value: pair.Measure(b.Rig.Rand, ratios),
		Note: fmt.Sprintf("%s / %s", duration(pair.Median(s.Times("tests"))/tests), duration(pair.Median(s.Times("resolves"))/resolves)),
	}}, nil
}

package torture

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
)

// writer is one shell in which commands are typed, one after the other. It owns
// tenants that nobody else changes, so that it knows all the states that they were
// in: every second step counts up the number in its first tenant, so no two states
// are the same.
type writer struct {
	*race
	name     string
	dice     *rand.Rand
	numbers  map[string]string // of each of its tenants, at the end of its URL
	states   []map[string]string
	spans    []span // of the change that led to each state; of the first, it is zero
	made     map[string]span
	profiles int
}

func newWriter(r *race, number int) *writer {
	w := &writer{
		race: r, name: fmt.Sprintf("w%02d", number), dice: dice(number),
		numbers: map[string]string{}, made: map[string]span{},
	}
	w.states, w.spans = []map[string]string{{}}, []span{{start: -1, end: -1}}
	return w
}

// numbered is the URL of a tenant that shows a number.
func numbered(id, n string) string { return "postgres://u:s3cret@h/" + id + "-" + n }

func (w *writer) step(step int) {
	n := fmt.Sprint(step)
	switch {
	case step == 0:
		w.create(w.name, n)
	case step%2 == 0:
		w.edit(w.name, n)
	default:
		w.other(n)
	}
	if w.dice.IntN(2) == 0 {
		w.look()
	}
}

// changed remembers the state that a change led to.
func (w *writer) changed(s span) {
	w.states, w.spans = append(w.states, maps.Clone(w.numbers)), append(w.spans, s)
}

func (w *writer) create(id, n string) {
	w.numbers[id] = n
	s := w.change("tenant", "create", "--id", id, "--name", id, "--database-url", numbered(id, n))
	w.made[id] = s
	w.changed(s)
}

func (w *writer) edit(id, n string) {
	w.numbers[id] = n
	w.changed(w.change("tenant", "edit", id, "--region", n, "--database-url", numbered(id, n)))
}

func (w *writer) other(n string) {
	switch dice := w.dice.IntN(8); {
	case dice <= 1:
		w.create(w.name+"-"+n, n)
	case dice == 2 && len(w.numbers) > 1:
		id := w.another()
		delete(w.numbers, id)
		w.changed(w.change("tenant", "delete", id, "-y"))
	case dice == 3 && len(w.numbers) > 1:
		w.edit(w.another(), n)
	case dice == 4:
		w.useProfile()
	case dice == 5:
		w.change("export")
	case dice == 6: // refused, as it should be
		w.do(4, "tenant", "create", "--id", "shared", "--name", "x", "--database-url", numbered("x", n))
	default:
		value := w.name + "-" + n
		s := w.change("tenant", "edit", "shared", "--region", value)
		w.mu.Lock()
		w.shared.wrote(value, s)
		w.mu.Unlock()
	}
}

// another is one of its tenants, but not the first.
func (w *writer) another() string {
	ids := slices.DeleteFunc(sorted(w.numbers), func(id string) bool { return id == w.name })
	return ids[w.dice.IntN(len(ids))]
}

func (w *writer) useProfile() {
	w.profiles++
	profile := fmt.Sprintf("%s-p%d", w.name, w.profiles)
	w.change("profile", "create", profile, "--tenant", w.name)
	s := w.change("session", "switch", profile)
	w.mu.Lock()
	w.session.wrote(profile, s)
	w.mu.Unlock()
}

package torture

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"
)

// original is the tool that writes tenants.json beside sp, as it does: it reads the whole
// file, changes one thing, empties the file and writes it anew, and sets its mode. There
// is no lock and no second look. What it last said of its tenants, and of the one member
// of others' that is its own, is kept here.
type original struct {
	path  string
	dice  *rand.Rand
	said  map[string]map[string]string // of its tenants, by id: their members
	hosts map[string]string            // of others' tenants
	steps int
}

// store is the file as it knows it. The newer version drops members that it does not know.
type store struct {
	Tenants  []map[string]any `json:"tenants"`
	SyncedAt string           `json:"synced_at"`
}

func newOriginal(path string, seed int) *original {
	return &original{path: path, dice: dice(seed), said: map[string]map[string]string{}, hosts: map[string]string{}}
}

// step is one command of it.
func (o *original) step() error {
	text, err := os.ReadFile(o.path)
	if err != nil {
		return err
	}
	var s store
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("it could not read the file: %w", err)
	}
	o.steps++
	keep := o.change(&s)
	if o.dice.IntN(2) == 0 {
		for _, t := range s.Tenants {
			delete(t, "shared_container_db")
		}
	}
	time.Sleep(time.Duration(o.dice.IntN(15)) * time.Millisecond)
	if err := o.save(s); err != nil {
		return err
	}
	keep()
	return nil
}

// change changes one thing, and returns what remembers that.
func (o *original) change(s *store) (keep func()) {
	n := fmt.Sprint(o.steps)
	own := s.indexes(func(id string) bool { return o.said[id] != nil })
	others := s.indexes(func(id string) bool { return id[0] == 's' })
	switch dice := o.dice.IntN(8); {
	case dice < 2 && len(others) > 0:
		t := s.Tenants[others[o.dice.IntN(len(others))]]
		t["hostname"] = "h" + n
		return func() { o.hosts[t["id"].(string)] = "h" + n }
	case dice < 5 && len(own) > 0:
		t := s.Tenants[own[o.dice.IntN(len(own))]]
		t["region"] = "r" + n
		return func() { o.said[t["id"].(string)]["region"] = "r" + n }
	case dice < 6 && len(own) > 0:
		i := own[o.dice.IntN(len(own))]
		id := s.Tenants[i]["id"].(string)
		s.Tenants = slices.Delete(s.Tenants, i, i+1)
		return func() { delete(o.said, id) }
	}
	id := "o" + n
	s.Tenants = append(s.Tenants, map[string]any{"id": id, "name": id, "tenant_type": "local", "external_db_access": false, "region": "r" + n})
	return func() { o.said[id] = map[string]string{"region": "r" + n} }
}

func (s *store) indexes(is func(id string) bool) (found []int) {
	for i, t := range s.Tenants {
		if id, ok := t["id"].(string); ok && is(id) {
			found = append(found, i)
		}
	}
	return found
}

// save writes the file in place, in two pieces as a slow disk would.
func (o *original) save(s store) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.OpenFile(o.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	half := len(text) / 2
	_, first := file.Write(text[:half])
	if o.dice.IntN(4) == 0 {
		time.Sleep(time.Duration(o.dice.IntN(5)) * time.Millisecond)
	}
	_, second := file.Write(text[half:])
	return errors.Join(first, second, file.Close(), os.Chmod(o.path, 0o600))
}

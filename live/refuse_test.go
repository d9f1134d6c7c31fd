package live

import (
	"strings"
	"testing"
)

// TestARefusedCallIsToldTrulyAndLeavesWhatCanBeGoneOnWith sweeps errors over the system calls
// of the commands that have to do with databases, on files and on the way to the server (bar
// B6): what is said of the change is true, no secret is told, and what is left can be finished
// or undone; then the servers hold what the registry knows, and nothing else.
func TestARefusedCallIsToldTrulyAndLeavesWhatCanBeGoneOnWith(t *testing.T) {
	needStrace(t)
	for _, one := range []struct {
		name   string
		own    bool // on the server that sp runs
		stride int
		deed   func(*scene) deed
	}{
		{"create", false, 60, func(s *scene) deed { return s.creation("server") }},
		{"create-local", true, 100, func(s *scene) deed { return s.creation("local") }},
		{"provision", false, 90, (*scene).provision},
		{"delete", false, 80, (*scene).deletion},
		{"rotate", false, 90, func(s *scene) deed { return s.rotation(false) }},
		{"rotate-now", false, 60, func(s *scene) deed { return s.rotation(true) }},
		{"rotate-adopted", false, 60, func(s *scene) deed { return s.adoptedRotation("live_refuse_adopted") }},
		{"check", false, 20, (*scene).check},
		{"use", false, 40, (*scene).choice},
		{"up", true, 50, (*scene).up},
		{"down", true, 30, (*scene).down},
		{"move", true, 90, (*scene).move},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, "refuse-"+one.name)
			if !one.own {
				s.withAdmin("live_refuse_" + strings.ReplaceAll(one.name, "-", "_"))
			}
			s.begun()
			if one.name == "create-local" {
				s.must("tenant", "create", "--name", "first", "--provider", "local")
			}
			d := one.deed(s)
			d.sweep(d.refusing(), one.stride)
		})
	}
}

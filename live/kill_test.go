package live

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
)

// TestACreationThatIsKilledCanBeFinishedOrUndone wherever it is: on a server that is there,
// and on one that sp runs. Nothing is on a server that nobody knows of.
func TestACreationThatIsKilledCanBeFinishedOrUndone(t *testing.T) {
	needStrace(t)
	for _, where := range []string{"server", "local"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, "kill-create-"+where)
			if where == "server" {
				s.withAdmin("live_kill_create")
			}
			s.must("init")
			s.must("export")
			s.must("tenant", "create", "--name", "first", "--provider", where)
			id := func(i int) string { return fmt.Sprint("k", i) }
			sweep{
				scene: s, stride: 7,
				begin: func(i int) []string {
					return []string{"tenant", "create", "--id", id(i), "--name", id(i), "--provider", where}
				},
				judge: func(i int, _ outcome) {
					s.finishOrUndo(id(i), i%2 == 0)
				},
			}.run()
		})
	}
}

// TestACreationThatIsInterruptedCanBeFinishedOrUndone as one that is killed, but it has
// said so, and ends with the exit code of the signal.
func TestACreationThatIsInterruptedCanBeFinishedOrUndone(t *testing.T) {
	needStrace(t)
	t.Parallel()
	s := newScene(t, "interrupt-create").withAdmin("live_interrupt_create")
	s.must("init")
	s.must("export")
	id := func(i int) string { return fmt.Sprint("k", i) }
	sweep{
		scene: s, stride: 13, signal: "INT",
		begin: func(i int) []string { return []string{"tenant", "create", "--id", id(i), "--name", id(i)} },
		judge: func(i int, o outcome) {
			answered := o.stdout != "" // the signal may come behind that, when nobody waits for one any more
			require.True(s.t, answered == (o.exit == 0) || answered && o.exit == -1, "%d: %s", o.exit, o.stderr)
			if answered {
				require.True(s.t, opens(s.url(id(i))))
			}
			s.finishOrUndo(id(i), i%2 == 0)
		},
	}.run()
}

// finishOrUndo does one or the other with what a killed creation left, and then deletes it.
func (s *scene) finishOrUndo(id string, finish bool) {
	s.t.Helper()
	if s.isThere(id) && finish {
		s.must("tenant", "provision", id)
		require.True(s.t, opens(s.url(id)))
		s.isExported(id)
		s.agree()
	}
	if s.isThere(id) {
		s.must("tenant", "delete", id, "-y")
	}
	s.agree()
}

// TestADeletionThatIsKilledCanBeGoneOnWith and leaves a tenant whose database is whole, or
// one that can only be deleted.
func TestADeletionThatIsKilledCanBeGoneOnWith(t *testing.T) {
	needStrace(t)
	t.Parallel()
	s := newScene(t, "kill-delete").withAdmin("live_kill_delete")
	s.must("init")
	s.must("export")
	id := func(i int) string { return fmt.Sprint("k", i) }
	sweep{
		scene: s, stride: 6,
		begin: func(i int) []string {
			s.must("tenant", "create", "--id", id(i), "--name", id(i))
			return []string{"tenant", "delete", id(i), "-y"}
		},
		judge: func(i int, _ outcome) {
			if s.isThere(id(i)) && i%2 == 0 {
				switch o := s.sp("tenant", "provision", id(i)); o.exit {
				case 0:
					require.True(s.t, opens(s.url(id(i))))
					s.agree()
				default:
					require.Equal(s.t, 4, o.exit, o.stderr)
					require.Contains(s.t, o.stderr, "hint: sp tenant delete "+id(i)+" -y goes on with that")
				}
			}
			if s.isThere(id(i)) {
				s.must("tenant", "delete", id(i), "-y")
			}
			s.agree()
		},
	}.run()
}

// TestARotationThatIsKilledLeavesARecordedLoginThatWorks: at once, and whatever comes next.
func TestARotationThatIsKilledLeavesARecordedLoginThatWorks(t *testing.T) {
	needStrace(t)
	for _, how := range []string{"grace", "now"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, "kill-rotate-"+how).withAdmin("live_kill_rotate_" + how)
			s.must("init")
			s.must("export")
			s.must("tenant", "create", "--id", "k", "--name", "k")
			s.must("profile", "create", "p", "--tenant", "k")
			command := []string{"tenant", "rotate-credentials", "k", "-y"}
			if how == "now" {
				command = append(command, "--now")
			}
			var before registry.Secret
			sweep{
				scene: s, stride: 7,
				begin: func(int) []string { before = s.url("k"); return command },
				judge: func(i int, _ outcome) {
					after := s.url("k")
					require.True(s.t, opens(after), "what is recorded does not work")
					if i%3 == 0 {
						s.must(command...)
						require.True(s.t, opens(s.url("k")))
					}
					s.must("tenant", "provision", "k")
					s.isExported("k")
					s.agree()
					if how == "now" && !after.Equal(before) {
						require.False(s.t, opens(before), "the old login was to end")
					}
				},
			}.run()
		})
	}
}

// TestAnAdoptedRotationThatIsKilledCanBeDoneAgain: which password holds is known then, to
// each of two tenants that log in with it.
func TestAnAdoptedRotationThatIsKilledCanBeDoneAgain(t *testing.T) {
	needStrace(t)
	t.Parallel()
	s := newScene(t, "kill-adopted")
	url, err := adoptable(s.super, "live_kill_adopted")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, dropAdopted(s.super, "live_kill_adopted")) })
	s.must("init")
	s.must("export")
	s.must("tenant", "create", "--id", "k", "--name", "k", "--database-url", url.Reveal())
	s.must("tenant", "create", "--id", "other", "--name", "other", "--database-url", url.Reveal()+"?application_name=other")
	worked := 0
	sweep{
		scene: s, stride: 5,
		begin: func(int) []string { return []string{"tenant", "rotate-credentials", "k", "-y"} },
		judge: func(i int, _ outcome) {
			if opens(s.url("k")) && i%2 == 0 {
				worked++
				s.must("tenant", "check", "--all")
				return
			}
			s.must("tenant", "rotate-credentials", []string{"k", "other"}[i/2%2], "-y")
			for _, id := range []string{"k", "other"} {
				require.True(s.t, opens(s.url(id)))
				s.isExported(id)
			}
		},
	}.run()
	require.Positive(t, worked)
}

package live

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
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
			s.begun().must("tenant", "create", "--name", "first", "--provider", where)
			d := s.creation(where)
			d.sweep(d.killing(), 7)
		})
	}
}

// TestACreationThatIsInterruptedCanBeFinishedOrUndone as one that is killed, but it has
// said so, and ends with the exit code of the signal.
func TestACreationThatIsInterruptedCanBeFinishedOrUndone(t *testing.T) {
	needStrace(t)
	t.Parallel()
	s := newScene(t, "interrupt-create").withAdmin("live_interrupt_create").begun()
	d := s.creation("server")
	judge := d.judge
	d.judge = func(i int, o harness.Outcome) {
		answered := o.Stdout != "" // the signal may come behind that, when nobody waits for one any more
		require.True(t, answered == (o.Exit == 0 || o.Exit == 8) || answered && o.Exit == -1, "%d: %s", o.Exit, o.Stderr)
		if answered {
			require.True(t, opens(s.url(id(i))))
		}
		judge(i, o)
	}
	d.sweep(d.ending("INT"), 13)
}

// TestADeletionThatIsKilledCanBeGoneOnWith and leaves a tenant whose database is whole, or
// one that can only be deleted.
func TestADeletionThatIsKilledCanBeGoneOnWith(t *testing.T) {
	needStrace(t)
	t.Parallel()
	d := newScene(t, "kill-delete").withAdmin("live_kill_delete").begun().deletion()
	d.sweep(d.killing(), 6)
}

// TestAnUndoOfACreationThatIsKilledCanBeGoneOnWith and leaves no database of nobody.
func TestAnUndoOfACreationThatIsKilledCanBeGoneOnWith(t *testing.T) {
	needStrace(t)
	t.Parallel()
	d := newScene(t, "kill-undo").withAdmin("live_kill_undo").begun().undoing()
	d.sweep(d.killing(), 13)
}

// TestARotationThatIsKilledLeavesARecordedLoginThatWorks: at once, and whatever comes next.
func TestARotationThatIsKilledLeavesARecordedLoginThatWorks(t *testing.T) {
	needStrace(t)
	for _, how := range []string{"grace", "now"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			d := newScene(t, "kill-rotate-"+how).withAdmin("live_kill_rotate_" + how).begun().rotation(how == "now")
			d.sweep(d.killing(), 7)
		})
	}
}

// TestAnAdoptedRotationThatIsKilledCanBeDoneAgain: which password holds is known then, to
// each of two tenants that log in with it.
func TestAnAdoptedRotationThatIsKilledCanBeDoneAgain(t *testing.T) {
	needStrace(t)
	t.Parallel()
	d := newScene(t, "kill-adopted").begun().adoptedRotation("live_kill_adopted")
	d.sweep(d.killing(), 5)
}

// TestAFirstCreationThatIsKilledIsMadeUpForByTheNext, in a directory with nothing in it: the
// registry knows each server that is there, with its port and its password. The one with the
// container is not run beside others: a machine has one.
func TestAFirstCreationThatIsKilledIsMadeUpForByTheNext(t *testing.T) {
	needStrace(t)
	t.Run("docker", func(t *testing.T) {
		d := newScene(t, "kill-first-docker").withDocker().first("docker")
		d.sweep(d.killing(), 150)
	})
	t.Run("local", func(t *testing.T) {
		t.Parallel()
		d := newScene(t, "kill-first-local").first("local")
		d.sweep(d.killing(), 150)
	})
}

// TestAMoveOfAServerThatIsKilledIsMadeUpForByTheNextStart: the server listens where the URLs
// of its tenants lead.
func TestAMoveOfAServerThatIsKilledIsMadeUpForByTheNextStart(t *testing.T) {
	needStrace(t)
	t.Parallel()
	d := newScene(t, "kill-move").begun().move()
	d.sweep(d.killing(), 40)
}

// TestAServerThatLeavesTheProjectIsMovedWhole, wherever that is killed: the next start goes on.
func TestAServerThatLeavesTheProjectIsMovedWhole(t *testing.T) {
	needStrace(t)
	t.Parallel()
	d := newScene(t, "kill-leave").begun().leave()
	d.sweep(d.killing(), 12)
}

// TestAChoiceOfAServerThatIsKilledCanBeMadeAgain, and databases are made there then.
func TestAChoiceOfAServerThatIsKilledCanBeMadeAgain(t *testing.T) {
	needStrace(t)
	t.Parallel()
	d := newScene(t, "kill-use").withAdmin("live_kill_use").begun().choice()
	d.sweep(d.killing(), 20)
}

package harness

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// Strict makes a test fail for which this machine has not all that it needs. Without it such a
// test is skipped, and says why.
var Strict = os.Getenv("SP_REQUIRE_POSTGRES") == "1"

// Missing skips a test for a reason that the machine gives, or fails it if that is strict.
func Missing(t testing.TB, why string) {
	t.Helper()
	if Strict {
		t.Fatal(why)
	}
	t.Skip(why)
}

// Need returns the path of a tool that a test can't do without.
func Need(t testing.TB, tool string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		Missing(t, "no "+tool+" on this machine")
	}
	return path
}

// NeedRoot is for what only root may do: to be another user, to mount.
func NeedRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, "only root can do that")
	}
}

// Nobody is another user.
const Nobody = 65534

// AsNobody has a process run as that user.
func AsNobody(cmd *exec.Cmd) *exec.Cmd {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: Nobody, Gid: Nobody}}
	return cmd
}

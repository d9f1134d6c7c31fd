package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Build builds sp as it is released, into a file; more are arguments of go build, such as -overlay.
func Build(to string, more ...string) error { return build("sp", to, more...) }

// BuildPlane builds spd, the control plane, into a file.
func BuildPlane(to string) error { return build("spd", to) }

func build(program, to string, more ...string) error {
	args := append([]string{"build", "-trimpath"}, more...)
	cmd := exec.Command("go", append(args, "-o", to, "github.com/sp-registry/sp/cmd/"+program)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, said)
	}
	return nil
}

// CopyProgram puts a program as sp into a directory of its own that every user gets to.
func CopyProgram(t testing.TB, program string) string {
	t.Helper()
	dir := t.TempDir()
	Open(t, dir)
	path := filepath.Join(dir, "sp")
	// By another process: a child that is started meanwhile has what we write open, too.
	require.NoError(t, exec.Command("cp", program, path).Run())
	require.NoError(t, os.Chmod(path, 0o755))
	return path
}

// Open lets every user into a temporary directory, and to it.
func Open(t testing.TB, dir string) {
	t.Helper()
	for ; dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, 0o755))
	}
}

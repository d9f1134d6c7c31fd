package workspace_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

func TestMain(m *testing.M) {
	harness.Roles{
		"kill":   inHouse(dieAt),
		"create": inHouse(createMany),
		"churn":  inHouse(churn),
		"umask":  inHouse(makeUnder),
		"small":  inHouse(changeInSmallFiles),
	}.Play()
	os.Exit(m.Run())
}

// inHouse is a role that is played in the house at args[0].
func inHouse(role func(h house, args []string) error) func(args []string) error {
	return func(args []string) error { return role(house{dir: args[0]}, args[1:]) }
}

func (h house) process(role string, args ...string) *exec.Cmd {
	return harness.InRole(context.Background(), role, append([]string{h.dir}, args...)...)
}

// mustDie has a process make a change and be killed at a point of it.
func (h house) mustDie(t *testing.T, point string, args ...string) {
	t.Helper()
	out, err := h.process("kill", append([]string{point}, args...)...).CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", out)
	require.Equal(t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal(), "%s", out)
}

func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// exchange is all that is done in placing a file until one looks at what came out.
func exchange(path string) {
	waits, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp"))
	last := slices.MaxFunc(waits, func(a, b string) int { // the others are of those who were killed before
		one, _ := os.Lstat(a)
		other, _ := os.Lstat(b)
		return one.ModTime().Compare(other.ModTime())
	})
	prefix := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".")
	_ = os.Link(path, prefix+"old."+strings.TrimPrefix(last, prefix)) // unless nothing stood there
	_ = os.Rename(last, path)
}

// dieAt makes a change (create ID, delete ID, import, or export) and kills itself:
// when the file is rendered, when the change is committed, when the file has changed
// places with what stood there, or when it is in its place but the lock still held.
func dieAt(h house, args []string) error {
	point, what := args[0], args[1]
	p, a := h.follower(), act(export)
	switch what {
	case "create":
		a = create(args[2])
	case "delete":
		a = remove(args[2])
	case "import":
		p = h.wanted()
		p.Read, a = hashOf(foreign), imports(foreign)
	case "export":
		p = h.wanted()
	case "force":
		p = h.forced()
	case "copy":
		p = h.copyTo(args[2])
	case "aside":
		p = h.aside()
	}
	err := h.do(func(ctx context.Context, view *registry.View) (workspace.Publication, error) {
		publication, err := p.Publish(ctx, view)
		if err != nil || publication.Place == nil {
			return publication, errors.Join(err, errors.New("nothing to place"))
		}
		if point == "rendered" {
			die()
		}
		place := publication.Place
		publication.Place = func() error {
			switch point {
			case "committed":
				die()
			case "exchanged":
				exchange(p.Path)
				die()
			}
			_ = place() // dead whatever it says
			die()
			return nil
		}
		return publication, nil
	}, a)
	return fmt.Errorf("survived: %w", err)
}

// createMany creates, one by one, as many tenants of that name.
func createMany(h house, args []string) error {
	n, err := strconv.Atoi(args[1])
	for i := 0; i < n && err == nil; i++ {
		err = h.do(h.follower().Publish, create(fmt.Sprintf("%s-%d", args[0], i)))
	}
	return err
}

// churn creates tenants and profiles until it is killed, and prints each tenant
// that was created.
func churn(h house, args []string) error {
	for i := 0; ; i++ {
		id := fmt.Sprintf("%s-%d", args[0], i)
		if err := h.do(h.follower().Publish, create(id)); err != nil {
			return err
		}
		fmt.Println(id)
		if err := h.do(h.follower().Publish, profile(id, id)); err != nil {
			return err
		}
	}
}

// makeUnder makes the house under a umask, tracks its file and changes a tenant,
// and looks at each file while it is still temporary.
func makeUnder(h house, args []string) error {
	umask, err := strconv.ParseUint(args[0], 8, 32)
	if err != nil {
		return err
	}
	syscall.Umask(int(umask))
	if _, err := newHouse(h.dir); err != nil {
		return err
	}
	seen := 0
	looking := func(p workspace.Publisher) publish {
		return func(ctx context.Context, view *registry.View) (workspace.Publication, error) {
			publication, err := p.Publish(ctx, view)
			entries, _ := os.ReadDir(h.dir)
			for _, e := range entries {
				if info, _ := e.Info(); strings.HasSuffix(e.Name(), ".tmp") {
					seen++
					if info.Mode() != 0o600 {
						err = fmt.Errorf("%s: %v", e.Name(), info.Mode())
					}
				}
			}
			return publication, err
		}
	}
	err = errors.Join(h.do(looking(h.wanted()), export), h.do(looking(h.follower()), create("a")))
	if seen != 2 && err == nil {
		err = fmt.Errorf("%d temporary files", seen)
	}
	return err
}

// changeInSmallFiles makes a change for which there is room in the registry but not
// beside it, as on a full disk.
func changeInSmallFiles(h house, args []string) error {
	limit, err := strconv.ParseUint(args[0], 10, 64)
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		return err
	}
	if err := h.do(h.follower().Publish, create("b")); !errors.Is(err, syscall.EFBIG) || errors.Is(err, registry.ErrIncomplete) {
		return fmt.Errorf("not the error that was expected: %w", err)
	}
	return nil
}

func (h house) mustRun(t *testing.T, role string, args ...string) {
	t.Helper()
	out, err := h.process(role, args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Empty(t, string(bytes.TrimSpace(out)))
}

package postgres

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAContainerOfAnotherIsNotTouched(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"running", "exited", "created"} {
		for _, owner := range []string{"/home/me/other/.systemprompt", ""} {
			f := newFakeDocker(t)
			f.hasContainer(state, owner)
			err := f.up()
			require.ErrorIs(t, err, ErrTaken)
			for _, said := range []string{owner, "--server URL", "--provider local"} {
				require.ErrorContains(t, err, said)
			}
			require.NoError(t, f.Down(soon(t)))
			runs, err := f.Running(soon(t))
			require.NoError(t, err)
			require.False(t, runs)
			require.Empty(t, f.calls())
		}
	}
}

func TestAContainerThatEndsSaysWhy(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	f.has("exit", "initdb\nFATAL: no space left for "+password.Reveal()+"\n\n")
	f.restarts = time.Nanosecond
	err := f.Up(soon(t), func(context.Context) error { return errors.New("nobody") })
	require.ErrorIs(t, err, ErrUnusable)
	require.ErrorContains(t, err, "restarting: FATAL: no space left for [secret]")
	requireNoSecret(t, err)
}

func TestAPortThatDockerFindsTakenIsToldAndTriedAgain(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	for _, said := range []string{
		"driver failed programming external connectivity: Bind for 127.0.0.1:1 failed: port is already allocated",
		"failed to set up container networking: driver failed programming external connectivity on endpoint x: failed to bind host port for 127.0.0.1:1:172.17.0.2:5432/tcp: address already in use",
	} {
		f.has("refuse", said)
		require.ErrorIs(t, f.up(), ErrTaken)
	}
	f.hasNot("refuse")
	f.calls()
	require.NoError(t, f.up())
	require.Equal(t, "rm systemprompt-shared-db", f.calls()[0], "what was only created has the old port")

	f = newFakeDocker(t)
	f.Port = mustListen(t)
	require.ErrorIs(t, f.up(), ErrTaken)
	require.Empty(t, f.calls())
}

func TestWhatDockerRefusesIsSaid(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	f.has("refuse", "pull access denied")
	requireRefusal := func(by string) {
		err := f.up()
		require.ErrorIs(t, err, ErrUnusable)
		require.EqualError(t, err, "docker "+by+": Error response from daemon: pull access denied: the server can't be run")
	}
	requireRefusal("run")
	f.has("compose", "")
	requireRefusal("compose")
	f.hasContainer("exited", f.Owner)
	requireRefusal("start")
}

func TestASocketThatIsNotOpenToUsIsSaid(t *testing.T) {
	t.Parallel()
	said := `permission denied while trying to connect to the Docker daemon socket at unix:///run/docker.sock: Get "http://%2Frun%2Fdocker.sock/v1.51/version": dial unix /run/docker.sock: connect: permission denied`
	f := newFakeDocker(t)
	f.Program = filepath.Join(t.TempDir(), "docker")
	mustProgram(t, f.Program, "echo '"+said+"' >&2; exit 1")
	_, err := f.Engine(soon(t))
	require.ErrorIs(t, err, ErrNone)
	require.EqualError(t, err, "docker version: permission denied while trying to connect to the Docker daemon socket at [address]: not there")
}

func TestAServerThatDoesNotAnswerIsWaitedForAsLongAsAsked(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	asked, refused := 0, errors.New("28P01")
	require.NoError(t, f.Up(soon(t), func(context.Context) error {
		if asked++; asked < 3 {
			return refused
		}
		return nil
	}))
	require.Equal(t, 3, asked)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err := f.Up(ctx, func(context.Context) error { return refused })
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, err, refused)
}

// A server that was killed is started again by docker, as the container was made.
func TestAContainerThatRestartsIsWaitedFor(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	f.hasContainer("restarting", f.Owner)
	asked := 0
	require.NoError(t, f.Up(soon(t), func(context.Context) error {
		if asked++; asked < 3 {
			return errors.New("nobody")
		}
		return nil
	}))
}

func TestAMachineWithoutAnEngineIsToldSo(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	f.has("down", "")
	_, err := f.Engine(soon(t))
	require.ErrorIs(t, err, ErrNone)
	require.EqualError(t, err, "docker version: Cannot connect to the Docker daemon at [address] Is the docker daemon running?: not there")
	require.ErrorIs(t, f.up(), ErrNone)
	_, err = f.Running(soon(t))
	require.ErrorIs(t, err, ErrNone)
	require.ErrorIs(t, f.Down(soon(t)), ErrNone)
	for _, program := range []string{"", "docker", filepath.Join(t.TempDir(), "docker")} {
		f.Program = program
		_, err := f.Engine(soon(t))
		require.ErrorIs(t, err, ErrNone, program)
	}
}

func TestAClientThatHangsIsEndedWithItsChildren(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	f.has("hang", "")
	f.patience = time.Second
	_, err := f.Engine(soon(t))
	require.ErrorIs(t, err, ErrNone)
	require.ErrorContains(t, err, "nothing for 1s")
	child, err := strconv.Atoi(strings.TrimSpace(mustRead(t, filepath.Join(f.keep, "child"))))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return !isAlive(child) || isZombie(child) }, 5*time.Second, 10*time.Millisecond)

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("Ctrl-C"))
	_, err = f.Engine(ctx)
	require.EqualError(t, err, "Ctrl-C")
}

// TestAnEngineThatHangsIsNotWaitedForInARemoval, whichever step it does not end.
func TestAnEngineThatHangsIsNotWaitedForInARemoval(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"stop " + Container, "rm " + Container, "network rm", "volume rm"} {
		f := newFakeDocker(t)
		f.has("compose", "")
		require.NoError(t, f.up())
		f.has("stuck", step)
		f.stops = 100 * time.Millisecond
		err := f.Remove(soon(t))
		require.ErrorIs(t, err, ErrUnusable, step)
		require.ErrorContains(t, err, "no answer for 100ms", step)
		f.hasNot("stuck")
		f.stops = 0
		require.NoError(t, f.Remove(soon(t)), step)
	}
}

// isZombie tells of a process that has ended whether nobody has waited for it.
func isZombie(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.Contains(string(text), ") Z ")
}

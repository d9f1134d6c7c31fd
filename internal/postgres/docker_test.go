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
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestAnEngineThatAnswersIsToldByItsVersion(t *testing.T) {
	t.Parallel()
	version, err := newFakeDocker(t).Engine(soon(t))
	require.NoError(t, err)
	require.Equal(t, "28.2.2", version)
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

// isZombie tells of a process that has ended whether nobody has waited for it.
func isZombie(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.Contains(string(text), ") Z ")
}

func TestDockerIsGivenNothingOfOurEnvironment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mustProgram(t, filepath.Join(dir, "docker"), "export -p >"+filepath.Join(dir, "env")+"; echo 1")
	_, err := Docker{Program: filepath.Join(dir, "docker")}.Engine(soon(t))
	require.NoError(t, err)
	require.NotContains(t, mustRead(t, filepath.Join(dir, "env")), "HOME")
}

func TestAContainerIsMadeWithoutCompose(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	require.NoError(t, f.up())
	require.Equal(t, []string{
		"volume create --label io.systemprompt.directory=" + f.Owner + " systemprompt-shared-db-data",
		"run --detach --name systemprompt-shared-db --restart unless-stopped --publish 127.0.0.1:" + strconv.Itoa(f.Port) + ":5432" +
			" --env-file " + f.Dir + "/shared.env --label io.systemprompt.directory=" + f.Owner +
			" --volume systemprompt-shared-db-data:/var/lib/postgresql --health-cmd pg_isready -U postgres -h 127.0.0.1" +
			" --health-interval 5s --health-timeout 5s --health-retries 5 postgres:18-alpine",
	}, f.calls())
	require.Equal(t, os.FileMode(0o700), modeOf(t, f.Dir))
	for _, name := range []string{"shared.yaml", "shared.env"} {
		require.Equal(t, os.FileMode(0o600), modeOf(t, filepath.Join(f.Dir, name)))
	}
	require.Equal(t, "lock shared.env shared.yaml", entries(t, f.Dir))
	require.NotContains(t, mustRead(t, f.composeFile()), password.Reveal())
	runs, err := f.Running(soon(t))
	require.NoError(t, err)
	require.True(t, runs)
}

func TestAContainerIsMadeByCompose(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	f.has("compose", "")
	require.NoError(t, f.up())
	require.Equal(t, []string{"compose --project-name systemprompt-shared-db --file " + f.Dir + "/shared.yaml up --detach"}, f.calls())
	require.NoError(t, f.up())
	require.Empty(t, f.calls(), "it runs")
}

func TestAContainerOfOursIsStartedAgain(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"exited", "dead"} {
		f := newFakeDocker(t)
		f.hasContainer(state, f.Owner)
		require.NoError(t, f.up())
		require.Equal(t, []string{"start systemprompt-shared-db"}, f.calls())
	}
}

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

func TestAVolumeOfAnotherIsNotUsed(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	f.has("engine/volume", "/home/me/other/.systemprompt\n")
	err := f.up()
	require.ErrorIs(t, err, ErrTaken)
	require.ErrorContains(t, err, "volume systemprompt-shared-db-data: it belongs to /home/me/other/.systemprompt")
	require.Empty(t, f.calls())
	f.has("engine/volume", f.Owner+"\n")
	require.NoError(t, f.up())
}

func TestAContainerThatEndsSaysWhy(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	f.has("exit", "initdb\nFATAL: no space left for "+password.Reveal()+"\n\n")
	err := f.Up(soon(t), func(context.Context) error { return errors.New("nobody") })
	require.ErrorIs(t, err, ErrUnusable)
	require.ErrorContains(t, err, "exited: FATAL: no space left for [secret]")
	requireNoSecret(t, err)
}

func TestAPortThatDockerFindsTakenIsToldAndTriedAgain(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	f.has("refuse", "driver failed programming external connectivity: Bind for 127.0.0.1:1 failed: port is already allocated")
	require.ErrorIs(t, f.up(), ErrTaken)
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
	err := f.up()
	require.ErrorIs(t, err, ErrUnusable)
	require.EqualError(t, err, "docker run: Error response from daemon: pull access denied: the server can't be run")
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

func TestDownStopsAndRemovesNothing(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	require.NoError(t, f.Down(soon(t)), "there is none")
	require.NoError(t, f.up())
	f.calls()
	require.NoError(t, f.Down(soon(t)))
	require.NoError(t, f.Down(soon(t)), "again")
	require.Equal(t, []string{"stop systemprompt-shared-db"}, f.calls())
	require.FileExists(t, f.envFile())
	require.NoError(t, f.up())
	require.Equal(t, []string{"start systemprompt-shared-db"}, f.calls())
}

func TestOneOfTwoCommandsMakesTheContainer(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	results := make(chan error, 3)
	for range cap(results) {
		go func() { results <- f.Up(t.Context(), answering) }()
	}
	for range cap(results) {
		require.NoError(t, <-results)
	}
	require.Len(t, f.calls(), 2)
}

func TestAContainerOwnedByAnOddPathIsKnownAgain(t *testing.T) {
	t.Parallel()
	for _, owner := range []string{"/a b/$HOME/${x}", "/ö<>&", "/bad\xff\xfename"} {
		f := newFakeDocker(t)
		f.Owner = owner
		if !utf8.ValidString(owner) { // which a file can't say, and docker neither
			f.has("compose", "")
		}
		require.NoError(t, f.up())
		runs, err := f.Running(soon(t))
		require.NoError(t, err)
		require.True(t, runs, owner)
	}
}

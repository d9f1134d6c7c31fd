package postgres

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestAnEngineThatAnswersIsToldByItsVersion(t *testing.T) {
	t.Parallel()
	version, err := newFakeDocker(t).Engine(soon(t))
	require.NoError(t, err)
	require.Equal(t, "28.2.2", version)
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
		f.volumeCreate(),
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
	require.Equal(t, []string{f.volumeCreate(), "compose --project-name systemprompt-shared-db --file " + f.Dir + "/shared.yaml up --detach"}, f.calls())
	require.NoError(t, f.up())
	require.Empty(t, f.calls(), "it runs")
}

func TestComposeIsGivenNoPathThatItCannotRead(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	f.has("compose", "")
	f.Dir += "\nof two lines"
	require.NoError(t, f.up())
	require.Contains(t, mustRead(t, filepath.Join(f.keep, "calls")), "run --detach")
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

func TestAPausedContainerGoesOn(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	f.hasContainer("paused", f.Owner)
	require.NoError(t, f.up())
	require.Equal(t, []string{"unpause systemprompt-shared-db"}, f.calls())

	f.hasContainer("paused", f.Owner)
	require.NoError(t, f.Down(soon(t)))
	require.Equal(t, []string{"stop systemprompt-shared-db"}, f.calls())
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

func TestRemoveLeavesNothingWithTheEngine(t *testing.T) {
	t.Parallel()
	for _, plugin := range []bool{false, true} {
		f := newFakeDocker(t)
		if plugin {
			f.has("compose", "")
		}
		require.NoError(t, f.up())
		require.NoError(t, f.Remove(soon(t)))
		for _, gone := range []string{"state", "volume", "network"} {
			require.NoFileExists(t, filepath.Join(f.keep, "engine", gone))
		}
		require.NoFileExists(t, f.envFile())
		require.NoFileExists(t, f.composeFile())
		f.calls()
		require.NoError(t, f.Remove(soon(t)), "again")
		require.Empty(t, f.calls())
	}
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
	for _, owner := range []string{"/a b/$HOME/${x}", "/ö<>&", "/bad\xff\xfename", "/of two\nlines"} {
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

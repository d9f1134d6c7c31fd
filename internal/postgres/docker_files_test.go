package postgres

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func TestTheComposeFileSaysWhatTheCommandSays(t *testing.T) {
	t.Parallel()
	d := Docker{Port: 5499, Owner: `/home/"me"/$x: y`}
	var file struct {
		Name     string
		Services map[string]struct {
			Image, Restart string
			ContainerName  string `yaml:"container_name"`
			Ports, Volumes []string
			EnvFile        []string `yaml:"env_file"`
			Labels         map[string]string
			Healthcheck    struct{ Test []string }
		}
		Volumes map[string]struct {
			Name   string
			Labels map[string]string
		}
	}
	require.NoError(t, yaml.Unmarshal(d.compose(), &file))
	s := file.Services["postgres"]
	require.Equal(t, "systemprompt-shared-db", file.Name)
	require.Equal(t, "systemprompt-shared-db", s.ContainerName)
	require.Equal(t, "postgres:18-alpine", s.Image)
	require.Equal(t, "unless-stopped", s.Restart)
	require.Equal(t, []string{"127.0.0.1:5499:5432"}, s.Ports)
	require.Equal(t, []string{"shared.env"}, s.EnvFile)
	require.Equal(t, []string{"data:/var/lib/postgresql"}, s.Volumes)
	require.Equal(t, map[string]string{label: `/home/"me"/$$x: y`}, s.Labels, "which compose reads as one dollar")
	require.Contains(t, s.Healthcheck.Test, "pg_isready")
	require.Equal(t, "systemprompt-shared-db-data", file.Volumes["data"].Name)
	require.Equal(t, s.Labels, file.Volumes["data"].Labels)
}

func TestAnEditedComposeFileIsKept(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	f.has("compose", "")
	require.NoError(t, f.up())
	edited := strings.Replace(mustRead(t, f.composeFile()), "postgres:18-alpine", "postgres:17-alpine", 1)
	mustWrite(t, f.composeFile(), edited)
	require.NoError(t, os.Chmod(f.composeFile(), 0o644))
	f.hasNot("engine")
	f.ComposeSum = sum([]byte(edited))
	require.NoError(t, f.up())
	require.Equal(t, edited, mustRead(t, f.composeFile()))
	require.Equal(t, os.FileMode(0o600), modeOf(t, f.composeFile()))
}

func TestAComposeFileOfOursFollowsThePort(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	f.has("compose", "")
	require.NoError(t, f.up())
	f.hasNot("engine")
	f.ComposeSum = sum([]byte(mustRead(t, f.composeFile())))
	f.Port = mustFreePort(t)
	require.NoError(t, f.up())
	require.Contains(t, mustRead(t, f.composeFile()), strconv.Itoa(f.Port))
}

// The older tool's shared.yaml has the same place, and makes a container of another name.
func TestTheOlderToolsComposeFileIsNotTouched(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	f.has("compose", "")
	theirs := "services:\n  postgres:\n    container_name: systemprompt-postgres-shared\n    ports: ['5432:5432']\n"
	mustWrite(t, f.composeFile(), theirs)
	require.ErrorIs(t, f.up(), ErrEdited)
	f.ComposeSum = sum([]byte(theirs))
	err := f.up()
	require.ErrorIs(t, err, ErrTaken)
	require.ErrorContains(t, err, "--server URL")
	require.Equal(t, theirs, mustRead(t, f.composeFile()))
	require.Empty(t, f.calls())
}

// Where the registry is lost, the password of the volume stands in shared.env alone.
func TestAPasswordThatIsThereIsNotReplaced(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	_, found, err := f.KnownPassword()
	require.NoError(t, err)
	require.False(t, found)
	require.NoError(t, f.up())
	known, found, err := f.KnownPassword()
	require.NoError(t, err)
	require.True(t, found)
	require.True(t, known.Equal(password))

	before := mustRead(t, f.envFile())
	f.hasNot("engine")
	other := f
	other.Password = secret.New("another")
	require.ErrorIs(t, other.up(), ErrEdited)
	other.EnvSum = sum([]byte(before))
	require.ErrorIs(t, other.up(), ErrUnusable)
	require.Equal(t, before, mustRead(t, f.envFile()))
	require.NoError(t, f.up())

	mustWrite(t, f.envFile(), "NOTHING=1\n")
	_, _, err = f.KnownPassword()
	require.ErrorIs(t, err, ErrUnusable)
}

// TestWhatAProjectsFilesSayIsNotRun: a clone or a pull may have brought them. The sum in the
// first line proves nothing, for whoever writes the file writes it.
func TestWhatAProjectsFilesSayIsNotRun(t *testing.T) {
	t.Parallel()
	evil := compose + "    privileged: true\n"
	for _, compose := range []bool{false, true} {
		for name, text := range map[string]string{
			"shared.yaml": firstLine + sum([]byte(evil)) + "\n" + evil,
			"shared.env":  passwordName + password.Reveal() + "\nPOSTGRES_HOST_AUTH_METHOD=trust\n",
		} {
			f := newFakeDocker(t)
			if compose {
				f.has("compose", "")
			}
			mustWrite(t, filepath.Join(f.Dir, name), text)
			err := f.up()
			require.ErrorIs(t, err, ErrEdited)
			require.ErrorContains(t, err, name)
			require.NoFileExists(t, filepath.Join(f.keep, "engine", "state"))
			require.Equal(t, text, mustRead(t, filepath.Join(f.Dir, name)))
		}
	}
}

func TestTheImageThatRanFirstRunsAgain(t *testing.T) {
	t.Parallel()
	for _, plugin := range []bool{false, true} {
		f := newFakeDocker(t)
		if plugin {
			f.has("compose", "")
		}
		require.NoError(t, f.up())
		digest, err := f.Digest(soon(t))
		require.NoError(t, err)
		require.Regexp(t, "^postgres@sha256:[0-9a-f]{64}$", digest)
		f.Image, f.ComposeSum = digest, sum([]byte(mustRead(t, f.composeFile())))
		require.NoError(t, f.do(soon(t), "rm", Container))
		f.calls()
		require.NoError(t, f.up())
		if plugin {
			require.Contains(t, mustRead(t, f.composeFile()), "    image: "+digest+"\n")
		} else {
			require.True(t, strings.HasSuffix(f.calls()[1], " "+digest))
		}
	}
	f := newFakeDocker(t)
	f.has("digest", "")
	require.NoError(t, f.up())
	digest, err := f.Digest(soon(t))
	require.NoError(t, err)
	require.Empty(t, digest, "it was built here")
}

func TestAPasswordThatAFileWouldReadOtherwiseIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "a b", "a\nPOSTGRES_HOST_AUTH_METHOD=trust", "a$b", "a#b"} {
		f := newFakeDocker(t)
		f.Password = secret.New(text)
		require.ErrorIs(t, f.Up(soon(t), answering), ErrUnusable, text)
		require.NoDirExists(t, f.Dir)
	}
}

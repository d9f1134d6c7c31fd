package postgres

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/sp-registry/sp/internal/registry"
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
	other.Password = registry.NewSecret("another")
	require.ErrorIs(t, other.up(), ErrUnusable)
	require.Equal(t, before, mustRead(t, f.envFile()))
	require.NoError(t, f.up())

	mustWrite(t, f.envFile(), "NOTHING=1\n")
	_, _, err = f.KnownPassword()
	require.ErrorIs(t, err, ErrUnusable)
}

func TestAPasswordThatAFileWouldReadOtherwiseIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "a b", "a\nPOSTGRES_HOST_AUTH_METHOD=trust", "a$b", "a#b"} {
		f := newFakeDocker(t)
		f.Password = registry.NewSecret(text)
		require.ErrorIs(t, f.Up(soon(t), answering), ErrUnusable, text)
		require.NoDirExists(t, f.Dir)
	}
}

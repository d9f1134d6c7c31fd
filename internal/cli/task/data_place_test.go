package task

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/cli"
)

func TestTheDataOfServersAreWhereTheUserSays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  string // NAME=VALUE, blank between
		user int
		want string
	}{
		{"SP_DATA_DIR=/a XDG_DATA_HOME=/b HOME=/c", 1000, "/a/postgres"},
		{"XDG_DATA_HOME=/b HOME=/c", 1000, "/b/sp/postgres"},
		{"XDG_DATA_HOME= HOME=/c", 1000, "/c/.local/share/sp/postgres"},
		{"HOME=/c", 0, "/var/lib/sp/postgres"},
		{"", 0, "/var/lib/sp/postgres"},
		{"SP_DATA_DIR=/a", 0, "/a/postgres"},
		{"", 1000, ""},
		{"HOME=", 1000, ""},
		{"SP_DATA_DIR=~/a HOME=/c", 1000, ""},
		{"XDG_DATA_HOME=b HOME=/c", 1000, ""},
	} {
		env := map[string]string{}
		for _, variable := range strings.Fields(c.env) {
			name, value, _ := strings.Cut(variable, "=")
			env[name] = value
		}
		task := &Task{Context: &cli.Context{World: cli.World{LookupEnv: func(name string) (string, bool) { value, ok := env[name]; return value, ok }}}}
		got, err := task.dataPlaceOf(c.user)
		if c.want == "" {
			require.ErrorIs(t, err, errNoPlace, c.env)
			continue
		}
		require.NoError(t, err, c.env)
		require.Equal(t, c.want, got, c.env)
	}
}

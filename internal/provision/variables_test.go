package provision

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// TestVariablesLeadLibpqWhereTheURLLeads has psql go to the same servers by a URL and by its variables, and
// open the same database by both.
func TestVariablesLeadLibpqWhereTheURLLeads(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	byVariables := func(url string, args ...string) string {
		u, err := pgurl.Parse(secret.New(url))
		require.NoError(t, err, url)
		cmd := exec.CommandContext(within(t), "psql", append([]string{"-XwAt"}, args...)...)
		cmd.Env = []string{"HOME=" + t.TempDir(), "PATH=/usr/bin:/bin", "LC_ALL=C"}
		for name, value := range u.Variables() {
			cmd.Env = append(cmd.Env, name+"="+value.Reveal())
		}
		said, _ := cmd.CombinedOutput() // it fails where nobody listens
		return string(said)
	}
	for _, url := range []string{
		"postgres://u@127.0.0.9/d",
		"postgres://u@[::1]:1/d",
		"postgres://staging.invalid:1/d?hostaddr=127.0.0.9",
		"postgres:///d?hostaddr=127.0.0.9,::1&port=3,4&host=a.invalid,b.invalid",
		"postgres:///d?host=/nowhere,127.0.0.8&hostaddr=127.0.0.9,&port=5",
		"postgres://127.0.0.8:1,127.0.0.9,[::1]:3/d?target_session_attrs=any",
		"postgres://127.0.0.8%2C127.0.0.9:2/d",
		"postgres://u@%2Fnowhere%2Fa%20b:7/d",
		"postgres:///d?host=%40nowhere",
		"postgres://127.0.0.8,/d?host=127.0.0.9,127.0.0.7&port=,9",
	} {
		said, err := psql(t, url, "-c", "SELECT 1")
		require.Error(t, err, url)
		want := tried.FindAllString(said, -1)
		require.NotEmpty(t, want, said)
		require.Equal(t, want, tried.FindAllString(byVariables(url, "-c", "SELECT 1"), -1), url)
	}

	const query = `SELECT session_user, current_database(), current_setting('application_name'), current_setting('work_mem'), current_setting('client_encoding')`
	url := server.Reveal() + "?application_name=it%27s%20mine&options=-c%20work_mem%3D1MB&client_encoding=LATIN1&connect_timeout=5"
	want, err := psql(t, url, "-c", query)
	require.NoError(t, err, want)
	require.Contains(t, want, "|it's mine|1MB|LATIN1")
	require.Equal(t, want+"\n", byVariables(url, "-c", query))
}

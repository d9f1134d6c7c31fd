package torture

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// firsts are commands that make a registry where there is none.
var firsts = []string{
	"init",
	"import in.json",
	"tenant create --id t%d --name t%d --database-url postgres://h/%[1]d",
	"init --json",
}

// startTogether starts commands in a directory where there is nothing, and returns
// what is wrong afterwards.
func startTogether(p place, commands []string) (problems []string) {
	var group sync.WaitGroup
	var mu sync.Mutex
	begin := make(chan struct{})
	for _, command := range commands {
		group.Go(func() {
			<-begin
			if o, err := harness.Run(p.Command(strings.Fields(command)...)); err != nil || o.Exit != 0 {
				mu.Lock()
				defer mu.Unlock()
				problems = append(problems, fmt.Sprintf("sp %s: exit %d: %s %v", command, o.Exit, o.Stderr, err))
			}
		})
	}
	close(begin)
	group.Wait()
	return append(problems, oneRegistry(p, commands)...)
}

// oneRegistry says what is not as it is after one first start and the others behind it.
func oneRegistry(p place, commands []string) (problems []string) {
	conn := harness.OpenSQLite(p.T, p.Store("sp.db"))
	defer func() { _ = conn.Close() }()
	migrations, err := filepath.Glob("../db/migrations/*.sql")
	require.NoError(p.T, err)
	for query, want := range map[string]string{
		"PRAGMA user_version":                fmt.Sprint(len(migrations)),
		"SELECT COUNT(*) FROM registry_meta": "1",
		"SELECT COUNT(*) FROM selection":     "1",
		"PRAGMA integrity_check":             "ok",
		"SELECT COUNT(*) FROM tenants":       fmt.Sprint(made(commands)),
		// An init that came first, or made up for what was not in place yet, is one more.
		fmt.Sprintf("SELECT revision BETWEEN %d AND %d FROM registry_meta", changes(commands), len(commands)): "1",
	} {
		var got string
		if err := conn.QueryRow(query).Scan(&got); err != nil || got != want {
			problems = append(problems, fmt.Sprintf("%s: %s, and not %s %v", query, got, want, err))
		}
	}
	if got := strings.Join(p.Names(), " "); got != ".gitignore .lock .place sp.db sp.db-journal sp.db.sum tenants.json" {
		problems = append(problems, "there is "+got)
	}
	return problems
}

// made is how many tenants the commands make together.
func made(commands []string) (tenants int) {
	imported := false
	for _, c := range commands {
		if strings.HasPrefix(c, "tenant") {
			tenants++
		} else if strings.HasPrefix(c, "import") && !imported {
			imported, tenants = true, tenants+2
		}
	}
	return tenants
}

// changes is how many of the commands change a registry that is there.
func changes(commands []string) (changes int) {
	for _, c := range commands {
		if !strings.HasPrefix(c, "init") {
			changes++
		}
	}
	return changes
}

// TestManyFirstStartsMakeOneRegistry (B3, fault 32): eight start at once where there is
// nothing; one makes the registry, all use it.
func TestManyFirstStartsMakeOneRegistry(t *testing.T) {
	rounds, processes := sized(t, 20, 200), sized(t, 8, 16)
	var problems []string
	for round := range rounds {
		p := newPlace(t)
		in := `{"tenants": [{"id": "x", "name": "x"}, {"id": "y", "name": "y"}], "synced_at": "2026-02-01T10:00:00Z"}`
		require.NoError(t, os.WriteFile(filepath.Join(p.Dir, "in.json"), []byte(in), 0o600))
		var commands []string
		for i := range processes {
			first := "init" // every other round is of nothing else
			if round%2 == 1 {
				first = firsts[i%len(firsts)]
			}
			if strings.Contains(first, "%") {
				first = fmt.Sprintf(first, i, i)
			}
			commands = append(commands, first)
		}
		problems = append(problems, startTogether(p, commands)...)
	}
	require.Empty(t, head(problems))
}

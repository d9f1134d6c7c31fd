package gen

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func mustWrite(t *testing.T, n int) []byte {
	t.Helper()
	var text bytes.Buffer
	require.NoError(t, Write(&text, n))
	return text.Bytes()
}

func TestRegistriesAreTheSameEverywhere(t *testing.T) {
	t.Parallel()
	for _, n := range Sizes {
		require.Contains(t, sums, n)
		if n <= 10_000 {
			sum := sha256.Sum256(mustWrite(t, n))
			require.Equal(t, sums[n], hex.EncodeToString(sum[:]), n)
		}
	}
}

func TestRegistriesHaveTheShapeTheyAreSaidToHave(t *testing.T) {
	t.Parallel()
	const n = 10_000
	text := mustWrite(t, n)
	var file struct {
		Tenants []map[string]any `json:"tenants"`
	}
	require.NoError(t, json.Unmarshal(text, &file))
	require.Len(t, file.Tenants, n)
	members, ids, types := map[string]bool{}, map[any]bool{}, map[any]int{}
	for i, tenant := range file.Tenants {
		for member := range tenant {
			members[member] = true
		}
		ids[tenant["id"]] = true
		types[tenant["tenant_type"]]++
		require.Equal(t, ID(i), tenant["id"])
	}
	require.Len(t, members, 11)
	require.Len(t, ids, n, "an id stands twice")
	require.Equal(t, map[any]int{"local": n / 2, "cloud": n / 2}, types)
	require.InDelta(t, 445, float64(len(text))/n, 5)
}

func TestASmallRegistryIsTheStartOfALargerOne(t *testing.T) {
	t.Parallel()
	small, large := mustWrite(t, 10), mustWrite(t, 1000)
	end := bytes.LastIndex(small, []byte("\n  ],"))
	require.Equal(t, small[:end], large[:end])
}

func TestAFileThatIsNotTheOneIsMadeAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := Make(dir, 10)
	require.NoError(t, err)
	require.Equal(t, sums[10], f.SHA256)
	require.NoError(t, os.WriteFile(f.Path, []byte("{}"), 0o600))
	again, err := Make(dir, 10)
	require.NoError(t, err)
	require.Equal(t, f, again)
	text, err := os.ReadFile(f.Path)
	require.NoError(t, err)
	require.Equal(t, mustWrite(t, 10), text)
}

func TestADirectoryHasAProfileAndASessionForEachTenant(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), ".systemprompt")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "profiles", "old"), 0o700))
	require.NoError(t, WriteDirectory(dir, 10))
	require.NoDirExists(t, filepath.Join(dir, "profiles", "old"))
	tenants, err := os.ReadFile(filepath.Join(dir, "tenants.json"))
	require.NoError(t, err)
	require.Equal(t, mustWrite(t, 10), tenants)
	var index struct {
		Sessions map[string]map[string]any `json:"sessions"`
		Active   string                    `json:"active_key"`
	}
	text, err := os.ReadFile(filepath.Join(dir, "sessions", "index.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &index))
	require.Equal(t, "tenant_"+ID(0), index.Active)
	require.Len(t, index.Sessions, 10)
	for i := range 10 {
		require.Equal(t, Profile(i), index.Sessions["tenant_"+ID(i)]["profile_name"])
		var secrets map[string]*string
		text, err := os.ReadFile(filepath.Join(dir, "profiles", Profile(i), "secrets.json"))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &secrets))
		require.Contains(t, string(tenants), *secrets["database_url"])
		require.FileExists(t, filepath.Join(dir, "profiles", Profile(i), "profile.yaml"))
	}
}

package torture

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/sp-registry/sp/internal/harness"
)

// damages are the ways to damage a file; each number of a run takes the next one.
var damages = []struct {
	name string
	do   func(file []byte, n int, r *rand.Rand) []byte
}{
	{"cut at a page", func(f []byte, n int, _ *rand.Rand) []byte { return f[:n%pages(f)*pageSize(f)] }},
	{"cut anywhere", func(f []byte, _ int, r *rand.Rand) []byte { return f[:r.IntN(len(f))] }},
	{"page of zeros", func(f []byte, n int, _ *rand.Rand) []byte { return inPage(f, n, func(p []byte) { clear(p) }) }},
	{"page of noise", func(f []byte, n int, r *rand.Rand) []byte {
		return inPage(f, n, func(p []byte) { noise(p, r) })
	}},
	{"page twice", func(f []byte, n int, r *rand.Rand) []byte {
		other := r.IntN(pages(f)) * pageSize(f)
		return inPage(f, n, func(p []byte) { copy(p, bytes.Clone(f[other:other+pageSize(f)])) })
	}},
	{"half a page old", func(f []byte, n int, r *rand.Rand) []byte {
		return inPage(f, n, func(p []byte) { clear(p[len(p)/2:]) })
	}},
	{"bits in a page's head", func(f []byte, n int, r *rand.Rand) []byte {
		return inPage(f, n, func(p []byte) { flip(p[:16], r, 1+r.IntN(3)) })
	}},
	{"one bit", func(f []byte, _ int, r *rand.Rand) []byte { flip(f, r, 1); return f }},
	{"bits", func(f []byte, n int, r *rand.Rand) []byte {
		return inPage(f, n, func(p []byte) { flip(p, r, 1+r.IntN(64)) })
	}},
	{"bits in the header", func(f []byte, _ int, r *rand.Rand) []byte { flip(f[:100], r, 1+r.IntN(4)); return f }},
	{"forged header", func(f []byte, _ int, r *rand.Rand) []byte {
		at := 16 + 4*r.IntN(21)
		binary.BigEndian.PutUint32(f[at:], []uint32{0, 1, 2, 255, 1 << 16, 1<<31 - 1, 1<<32 - 1, r.Uint32()}[r.IntN(8)])
		return f
	}},
	{"appended", func(f []byte, _ int, r *rand.Rand) []byte {
		more := make([]byte, r.IntN(3*pageSize(f)))
		noise(more, r)
		return append(f, more...)
	}},
}

// damage returns a damaged copy of the file, the same for each number in every run.
func damage(file []byte, number int) (string, []byte) {
	d := damages[number%len(damages)]
	return d.name, d.do(bytes.Clone(file), number/len(damages), dice(number))
}

func pageSize(file []byte) int { return int(binary.BigEndian.Uint16(file[16:])) }

func pages(file []byte) int { return len(file) / pageSize(file) }

func inPage(file []byte, n int, do func([]byte)) []byte {
	at := n % pages(file) * pageSize(file)
	do(file[at : at+pageSize(file)])
	return file
}

func noise(p []byte, r *rand.Rand) {
	for i := range p {
		p[i] = byte(r.Uint32())
	}
}

func flip(p []byte, r *rand.Rand, bits int) {
	for range bits {
		p[r.IntN(len(p))] ^= 1 << r.IntN(8)
	}
}

// isWhole tells whether SQLite itself finds nothing wrong with the tables of the file. Pages
// that none of them uses any more are no table's: where the root of one was overwritten with
// a valid page of another, they are all that is left of it, and a change is refused for them.
func isWhole(t *testing.T, file []byte) bool {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sp.db")
	require.NoError(t, os.WriteFile(path, file, 0o600))
	conn := harness.OpenSQLite(t, path)
	defer func() { _ = conn.Close() }()
	rows, err := conn.Query("SELECT integrity_check FROM pragma_integrity_check UNION ALL SELECT 'foreign key' FROM pragma_foreign_key_check")
	if err != nil {
		return false
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var finding string
		if rows.Scan(&finding) != nil || finding != "ok" && !onlyUnused.MatchString(finding) {
			return false
		}
	}
	return rows.Err() == nil
}

var onlyUnused = regexp.MustCompile(`^(\*\*\* in database main \*\*\*|\n|Page \d+(:| is) never used)+$`)

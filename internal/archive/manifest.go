package archive

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// Entry is a file in a manifest.
type Entry struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Bytes  int    `json:"bytes"`
}

// Manifest lists the files of a state, sorted by path.
type Manifest []Entry

// ManifestOf returns the manifest of files, in whatever order they are.
func ManifestOf(files []File) Manifest {
	m := make(Manifest, 0, len(files))
	for _, f := range files {
		m = append(m, Entry{f.Path, Hash(f.Text), len(f.Text)})
	}
	slices.SortFunc(m, func(a, b Entry) int { return cmp.Compare(a.Path, b.Path) })
	return m
}

// Hash returns the SHA-256 of a text in hexadecimal.
func Hash(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// ETag names the state: two have the same one if they hold the same files.
func (m Manifest) ETag() string {
	sum := sha256.New()
	for _, e := range m {
		_, _ = fmt.Fprintf(sum, "%s %d %s\n", e.SHA256, e.Bytes, e.Path) // a hash takes everything
	}
	return `"` + hex.EncodeToString(sum.Sum(nil)) + `"`
}

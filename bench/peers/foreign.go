package peers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// gojq is pinned: later ones ask for a module that proxies may refuse.
const gojq = "github.com/itchyny/gojq/cmd/gojq@v0.12.17"

// serde builds the reader and writer over serde_json, of the versions in its lock file.
func (w Workshop) serde(Set) (string, error) {
	cargo, err := exec.LookPath("cargo")
	if err != nil {
		home := ""
		for _, pair := range w.Env {
			if value, ok := strings.CutPrefix(pair, "HOME="); ok {
				home = value
			}
		}
		cargo = filepath.Join(home, ".cargo", "bin", "cargo")
		if _, missing := os.Stat(cargo); missing != nil {
			return "", err
		}
	}
	target := filepath.Join(w.Cache, "cargo")
	_, err = w.tool(filepath.Join(w.Root, "bench/peers/serde"), cargo, "build", "--release", "--locked", "--target-dir", target)
	return filepath.Join(target, "release", "serde-peer"), err
}

// jq finds every jq that is there, gojq among them. Their versions differ by the factor
// nine, so that none stands for jq.
func (w Workshop) jq(s *Set) {
	var found []string
	if path, err := exec.LookPath("jq"); err == nil {
		found = append(found, path)
	} else {
		w.Note("skipped: jq: %v", err)
	}
	more, _ := filepath.Glob(filepath.Join(w.Extra, "*jq*")) // the pattern is sound
	found = append(found, more...)
	if path, err := w.gojq(*s); err == nil {
		found = append(found, path)
	} else {
		w.Note("skipped: gojq: %v", err)
	}
	for i, path := range found {
		peer, err := s.take(fmt.Sprintf("jq%d", i), path)
		if err == nil {
			peer.Name = strings.ReplaceAll(w.version(peer.Path), "jq-", "jq ")
			s.JQ = append(s.JQ, peer)
		}
	}
}

func (w Workshop) gojq(s Set) (string, error) {
	if path, err := exec.LookPath("gojq"); err == nil {
		return path, nil
	}
	there := w
	there.Env = append(append([]string{}, w.Env...), "GOBIN="+s.builtIn, "GOFLAGS=-trimpath")
	_, err := there.tool(w.Dir, "go", "install", gojq)
	return filepath.Join(s.builtIn, "gojq"), err
}

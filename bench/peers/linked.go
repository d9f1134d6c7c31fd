package peers

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// library is one that later work links into sp. Go initialises every package that is
// linked, in every start, used or not.
type library struct {
	name, module, imports string
	use                   []string // what keeps the linker from leaving it out
}

var libraries = []library{
	{"net/http", "", `"net/http"`, []string{"http.DefaultClient.Do", "http.ListenAndServe"}},
	{"oauth2", "golang.org/x/oauth2@v0.37.0", `"golang.org/x/oauth2"`, []string{"(&oauth2.Config{}).Exchange", "(&oauth2.Config{}).DeviceAuth"}},
	{"huh", "charm.land/huh/v2@v2.0.3", `"charm.land/huh/v2"`, []string{"huh.NewForm", "huh.NewSelect[string]", "(&huh.Form{}).Run"}},
}

// linked builds sp once with each library, with all of them, and without age, which it
// has already. Neither sp's sources nor its go.mod change: the files lie over them.
func (w Workshop) linked(s *Set) {
	for _, l := range libraries {
		w.variant(s, "sp+"+l.name, []library{l})
	}
	w.variant(s, "sp+all", libraries)
	s.WithoutAge = w.optional(*s, "sp-age", w.withoutAge)
}

func (w Workshop) variant(s *Set, name string, with []library) {
	file := strings.ReplaceAll(name, "/", "-")
	peer := w.optional(*s, file, func(s Set) (string, error) { return w.build(s, file, with) })
	if peer != nil {
		peer.Name = name
		s.Linked = append(s.Linked, *peer)
	}
}

func (w Workshop) build(s Set, name string, with []library) (string, error) {
	dir := filepath.Join(s.builtIn, name+".d")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	source := filepath.Join(dir, "linked.go")
	if err := os.WriteFile(source, []byte(linkedSource(with)), 0o600); err != nil {
		return "", err
	}
	overlay, err := w.overlay(dir, map[string]string{"cmd/sp/linked_for_bench.go": source})
	if err != nil {
		return "", err
	}
	mod, err := w.require(dir, with)
	if err != nil {
		return "", err
	}
	built := filepath.Join(s.builtIn, name)
	return built, w.goBuild(built, "./cmd/sp", "-modfile", mod, "-overlay", overlay)
}

// linkedSource is a file of cmd/sp that refers to the libraries and never uses them.
func linkedSource(with []library) string {
	var imports, uses []string
	for _, l := range with {
		imports = append(imports, "\t"+l.imports)
		uses = append(uses, l.use...)
	}
	return fmt.Sprintf("package main\n\nimport (\n\t\"os\"\n%s\n)\n\nvar linked []any\n\nfunc init() {\n\tif len(os.Args) > 1<<20 {\n\t\tlinked = []any{%s}\n\t}\n}\n",
		strings.Join(imports, "\n"), strings.Join(uses, ", "))
}

// require makes a go.mod that has the libraries, beside a copy of the real one's sums.
func (w Workshop) require(dir string, with []library) (string, error) {
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(w.Root, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			return "", err
		}
	}
	mod := filepath.Join(dir, "go.mod")
	for _, l := range with {
		if l.module != "" {
			if _, err := w.tool(w.Root, "go", "get", "-modfile", mod, l.module); err != nil {
				return "", err
			}
		}
	}
	return mod, nil
}

// overlay writes the file that lays files over those of the module.
func (w Workshop) overlay(dir string, files map[string]string) (string, error) {
	over := map[string]map[string]string{"Replace": {}}
	for name, file := range files {
		over["Replace"][filepath.Join(w.Root, name)] = file
	}
	text, err := json.Marshal(over)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, text, 0o600)
}

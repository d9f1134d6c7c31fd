package project

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sp-registry/sp/internal/registry"
)

// check reads the edited text again: the value is there, and nothing else has changed.
// It is the net below the editing of bytes.
func (f found) check(before *yaml.Node, edited []byte, value *yaml.Node) error {
	spoiled := fmt.Errorf("%s: %w: to change it would change more than that (edit it by hand)", strings.Join(f.path, "."), registry.ErrInvalid)
	after, err := parse(edited)
	if err != nil || after == nil || len(edited) > maxYAML {
		return spoiled
	}
	again, err := YAMLEdit{Path: f.path}.find(after)
	if err != nil || len(again.missing) > 0 || again.value.Value != value.Value || again.value.ShortTag() != value.Tag {
		return spoiled
	}
	kept := f.path[:len(f.path)-len(f.missing)]
	if f.value == nil { // its first name is new
		kept = f.path[:len(kept)+1]
	}
	for _, made := range again.parents[len(kept):] {
		if len(made.Content) != 2 {
			return spoiled
		}
	}
	if before == nil || isEmpty(before) {
		before = &yaml.Node{Kind: yaml.MappingNode}
	}
	if !slices.Equal(outline(before, kept), outline(after, kept)) {
		return spoiled
	}
	return nil
}

// outline lists what a document says, but for what path names.
func outline(n *yaml.Node, path []string) []string {
	said := []string{fmt.Sprint(n.Kind, n.ShortTag(), n.Anchor)}
	if n.Kind != yaml.MappingNode {
		said = append(said, n.Value)
	}
	for i := 0; i < len(n.Content); i++ {
		child := n.Content[i]
		var below []string
		if n.Kind == yaml.MappingNode && i%2 == 1 && len(path) > 0 && n.Content[i-1].Value == path[0] {
			if len(path) == 1 {
				said = said[:len(said)-3] // its name
				continue
			}
			below = path[1:]
		}
		said = append(said, outline(child, below)...)
	}
	return append(said, "end")
}

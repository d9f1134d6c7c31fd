package project

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sp-registry/sp/internal/registry"
)

// found is where an edit takes place.
type found struct {
	path []string
	// parents are the mappings on the way that are there, nil for an empty file.
	parents []*yaml.Node
	// key and value are the last that are there of the path: the one to change, or a
	// section that is still empty.
	key, value *yaml.Node
	// missing are the names that are not there.
	missing []string
}

// find follows the path through block mappings.
func (e YAMLEdit) find(top *yaml.Node) (found, error) {
	f := found{path: e.Path, missing: e.Path}
	for at := top; at != nil && len(f.missing) > 0; at = f.value {
		if isEmpty(at) {
			return f, nil
		}
		if why := whyNotMapping(at); why != "" {
			return f, f.refuse(at, why)
		}
		f.parents = append(f.parents, at)
		f.key, f.value = nil, nil
		for i := 0; i < len(at.Content); i += 2 {
			switch key := at.Content[i]; {
			case key.Tag == "!!merge":
				return f, f.refuse(key, "a merge key may hold it")
			case key.Kind != yaml.ScalarNode || key.Value != f.missing[0]:
			case f.key != nil:
				return f, f.refuse(key, "it is there twice")
			default:
				f.key, f.value = key, at.Content[i+1]
			}
		}
		if f.key != nil {
			f.missing = f.missing[1:]
		}
	}
	return f, nil
}

// isEmpty tells whether nothing is written where a value could be.
func isEmpty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Tag == "!!null" && n.Value == "" && n.Anchor == "" && n.Style == 0
}

func whyNotMapping(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle != 0:
		return "it is in braces"
	case n.Kind == yaml.MappingNode:
		return whyMarked(n)
	case n.Kind == yaml.AliasNode:
		return "it is an alias"
	}
	return "what should hold it is not a mapping"
}

func whyMarked(n *yaml.Node) string {
	switch {
	case n.Anchor != "":
		return "it has an anchor"
	case n.Style&yaml.TaggedStyle != 0:
		return "it has a tag"
	}
	return ""
}

func whyNotScalar(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.AliasNode:
		return "it is an alias"
	case n.Kind != yaml.ScalarNode:
		return "it is not a single value"
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return "it is a block of text"
	}
	return whyMarked(n)
}

func (f found) refuse(at *yaml.Node, why string) error {
	return fmt.Errorf("%s: %w: line %d: %s (edit it by hand)", strings.Join(f.path, "."), registry.ErrInvalid, at.Line, why)
}

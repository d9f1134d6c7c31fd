package follow

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sync"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/sp-registry/sp/internal/registry"
)

// maxYAML is how large a profile.yaml may become: no larger than is read. maxNodes is how
// many nodes it may have once its aliases are replaced by what they stand for; without
// aliases a file of maxYAML can't have as many.
const (
	maxYAML  = 1 << 20
	maxNodes = 1 << 20
)

// TenantOf returns cloud.tenant_id of a profile.yaml, nil where it has none. It
// walks the nodes instead of decoding them: decoding compares every two keys of a
// mapping, and its errors quote what the file says.
func TenantOf(text []byte) (*registry.TenantID, error) {
	top, err := parse(text)
	if err != nil || top == nil {
		return nil, err
	}
	cloud, err := member(top, "cloud")
	if err != nil || cloud == nil {
		return nil, err
	}
	id, err := member(cloud, "tenant_id")
	if err != nil || id == nil {
		return nil, err
	}
	if id.Kind != yaml.ScalarNode {
		return nil, badYAML("cloud.tenant_id is not a text")
	}
	tenant := registry.TenantID(id.Value)
	return &tenant, nil
}

// parse returns the top of the one document that text holds, nil if it is empty.
func parse(text []byte) (*yaml.Node, error) {
	if !utf8.Valid(text) {
		return nil, badYAML("it is not UTF-8")
	}
	var document, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	err := decoder.Decode(&document)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err == nil {
		err = decoder.Decode(&second)
	}
	switch {
	case err == nil:
		return nil, badYAML("it holds more than one document")
	case !errors.Is(err, io.EOF):
		return nil, badYAML("it is not YAML" + stoppedAt(err))
	case weigh(&document, map[*yaml.Node]int{}) > maxNodes:
		return nil, badYAML("its aliases stand for too much")
	}
	return document.Content[0], nil
}

// weigh counts the nodes that node stands for. An alias inside what it stands for
// weighs more than is allowed.
func weigh(node *yaml.Node, known map[*yaml.Node]int) int {
	if weight, ok := known[node]; ok {
		return weight
	}
	known[node] = maxNodes + 1
	weight := 1
	if node.Alias != nil {
		weight += weigh(node.Alias, known)
	}
	for _, child := range node.Content {
		weight = min(weight+weigh(child, known), maxNodes+1)
	}
	known[node] = weight
	return weight
}

// member returns a mapping's member, nil where it or the mapping is absent or null.
func member(mapping *yaml.Node, key string) (*yaml.Node, error) {
	switch {
	case mapping.Kind == yaml.ScalarNode && mapping.Tag == "!!null":
		return nil, nil
	case mapping.Kind != yaml.MappingNode:
		return nil, badYAML("what should hold " + key + " is not a mapping")
	}
	var value *yaml.Node
	for i := 0; i < len(mapping.Content); i += 2 {
		if name := mapping.Content[i]; name.Kind != yaml.ScalarNode || name.Value != key {
			continue
		}
		if value != nil {
			return nil, badYAML("it says " + key + " twice")
		}
		value = mapping.Content[i+1]
	}
	if value != nil && value.Alias != nil {
		value = value.Alias
	}
	if value != nil && value.Tag == "!!null" {
		return nil, nil
	}
	return value, nil
}

var lineOfError = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^yaml: line (\d+):`) })

// stoppedAt returns where the parser stopped, and nothing else of what it says.
func stoppedAt(err error) string {
	if found := lineOfError().FindStringSubmatch(err.Error()); found != nil {
		return " near line " + found[1]
	}
	return ""
}

func badYAML(why string) error { return fmt.Errorf("%w: %s", registry.ErrInvalid, why) }

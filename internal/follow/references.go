package follow

import (
	"fmt"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sp-registry/sp/internal/registry"
)

// reference is a file that a profile.yaml names.
type reference struct {
	// Member is where it does, such as secrets.secrets_path, and Value what it says.
	Member, Value string
	// Inside is the path within the directory, links resolved, of a file that need not be
	// there.
	Inside string
}

// CheckReferences refuses a profile's profile.yaml that names a file outside the directory.
func (dir Directory) CheckReferences(profile string, text []byte, confine Confine) error {
	_, err := dir.references(profile, text, confine)
	return err
}

// references returns the files that a profile's profile.yaml names as those of its tenants,
// credentials and secrets. One that confine does not find in the directory, by whatever way,
// is refused.
func (dir Directory) references(profile string, text []byte, confine Confine) (references []reference, err error) {
	full := dir.full(ProfilePath(profile))
	top, err := parse(text)
	if err != nil {
		return nil, unreadable(full, err)
	}
	for _, name := range []string{"cloud.tenants_path", "cloud.credentials_path", "secrets.secrets_path"} {
		value, err := textAt(top, name)
		if err != nil {
			return nil, unreadable(full, err)
		}
		if value == "" {
			continue
		}
		way, err := confine(path.Dir(ProfilePath(profile)), value)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", full, name, err)
		}
		references = append(references, reference{Member: name, Value: value, Inside: way})
	}
	return references, nil
}

// unreadable is the ErrUnusable of a file of the directory whose YAML is refused.
func unreadable(full string, err error) error { return fmt.Errorf("%s: %w", full, asYAML(err)) }

// asYAML is the ErrUnusable of YAML that is refused: nobody typed it, so that ErrInvalid
// would blame the wrong one.
func asYAML(err error) error {
	return corrupt("%s", strings.TrimPrefix(err.Error(), registry.ErrInvalid.Error()+": "))
}

// textAt returns the text of a member of a section, "" where there is none.
func textAt(top *yaml.Node, name string) (string, error) {
	section, key, _ := strings.Cut(name, ".")
	for _, key := range []string{section, key} {
		if top == nil {
			return "", nil
		}
		var err error
		if top, err = member(top, key); err != nil {
			return "", err
		}
	}
	switch {
	case top == nil:
		return "", nil
	case top.Kind != yaml.ScalarNode:
		return "", badYAML(name + " is not a text")
	}
	return top.Value, nil
}

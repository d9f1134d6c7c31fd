package project

import (
	"context"
	"errors"
	"strings"

	"github.com/sp-registry/sp/internal/registry"
)

// sharedCompose is what the project's own container is made from, and sharedContainer
// its name, which is in a file of sp's making and not in the older tool's.
const (
	sharedCompose   = "docker/shared.yaml"
	sharedContainer = "systemprompt-shared-db"
)

// composeYAML is the compose file of a profile. Its name is that of the project in which
// the container was made, so that compose knows it again.
const composeYAML = `# Made by sp, once: the database server that the project's local tenants share.
name: ` + sharedContainer + `
include:
  - path: ../../../` + sharedCompose + `
`

// ComposePath is where the compose file of a profile lies within the directory.
func ComposePath(name string) string { return "profiles/" + name + "/docker/compose.yaml" }

// compose is what becomes of compose.yaml: it is made once, for a profile whose tenant has
// its database in the project's container, and from then on its reader's. Nothing in it
// depends on a name.
func (f *follower) compose(ctx context.Context, p registry.Profile, from string) error {
	shared := f.dir.sharesContainer()
	if !shared && f.known[ComposePath(p.Name)] == nil { // nothing can be due
		return nil
	}
	s, err := f.look(ctx, ComposePath(p.Name), ComposePath(from))
	switch {
	case errors.Is(err, ErrUnusable): // it is somebody else's by now
		f.disown(s)
		return nil
	case err != nil:
		return err
	case s.there && s.known != nil:
		s.open = false // it holds no secret
		f.become(s, s.text, s.base, false)
		return nil
	case s.there:
		return nil
	}
	t, err := f.view.Tenant(ctx, p.Tenant)
	switch {
	case err != nil:
		return err
	case !shared || t.SharedContainerDB == nil || *t.SharedContainerDB == "":
		f.disown(s)
	case f.o.Defer || s.at != s.path: // beside a directory that is just moved, none is made
		f.putOff(s)
	default:
		f.become(s, []byte(composeYAML), []byte(composeYAML), false)
	}
	return nil
}

// sharesContainer tells whether the project has a container of its own.
func (d Dir) sharesContainer() bool {
	if !exists(d.Full(sharedCompose)) {
		return false
	}
	text, _, err := d.ReadFile(sharedCompose)
	return err == nil && strings.Contains(string(text), sharedContainer)
}

// disown forgets a file that is to be no more, or is sp's no more.
func (f *follower) disown(s standingFile) {
	if s.known != nil && s.at == s.path {
		f.found.Forgotten = append(f.found.Forgotten, s.path)
	}
}

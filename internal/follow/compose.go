package follow

import (
	"context"
	"strings"
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

// renderCompose is the compose.yaml of a profile whose tenant has its database in the
// project's container. It is made once, and from then on its reader's. Nothing in it
// depends on a name.
func renderCompose(ctx context.Context, d *decider, f *file) (text, base []byte, err error) {
	t, err := d.view.Tenant(ctx, f.profile.Tenant)
	if err != nil || t.SharedContainerDB == nil || *t.SharedContainerDB == "" || !d.dir.sharesContainer() {
		return nil, nil, err
	}
	return []byte(composeYAML), []byte(composeYAML), nil
}

// sharesContainer tells whether the project has a container of its own.
func (dir Directory) sharesContainer() bool {
	text, _, _, err := dir.Read(sharedCompose)
	return err == nil && strings.Contains(string(text), sharedContainer)
}

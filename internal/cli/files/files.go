// Package files has the commands on the files of a project. init makes a registry, import reads a
// tenants.json, export writes one, and trust accepts a registry that came from elsewhere.
package files

import (
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/workspace"
)

// tracked is the publisher of the file that follows the registry.
func tracked(dir project.Dir) workspace.Publisher {
	return workspace.Publisher{Path: dir.Tenants(), Name: workspace.TrackedName}
}

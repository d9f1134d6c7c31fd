package main

import (
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/registry"
)

// errWithheld is returned for a server that sp knows and does not use.
var errWithheld = errors.New("not used")

// refuseWithheld refuses a server of a registry that was trusted since somebody named it, and
// one of the project of which this one is a copy.
func refuseWithheld(s registry.Server) error {
	switch s.Withheld {
	case "":
		return nil
	case registry.Foreign:
		return withHint(fmt.Errorf("%w: it belongs to the project of which this one is a copy", errWithheld),
			"if that project is gone: sp trust --moved, then sp db up\n"+
				"if it is still in use: sp db remove %s forgets the server here, and sp makes another for new databases", s.Name)
	}
	named := "sp db use --server-stdin, with the URL of its administrator"
	if s.IsOwn() {
		named = "sp db up"
	}
	return withHint(fmt.Errorf("%w until you name it, because this registry was trusted since", errWithheld), "%s", named)
}

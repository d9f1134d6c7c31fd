package main

import (
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/registry"
)

// errWithheld is returned for a server that sp knows and does not use.
var errWithheld = errors.New("not used")

// refuseWithheld refuses a server of a registry that was trusted since somebody named it, and
// one of the directory from which this one was copied.
func refuseWithheld(s registry.Server) error {
	switch s.Withheld {
	case "":
		return nil
	case registry.Foreign:
		return withHint(fmt.Errorf("%w: it is that of the directory from which this one was copied", errWithheld),
			"if that directory is gone: sp trust --moved; sp db remove %s forgets it here", s.Name)
	}
	named := "sp db use --server-stdin, with the URL of its administrator"
	if s.IsOwn() {
		named = "sp db up"
	}
	return withHint(fmt.Errorf("%w until you name it, because this registry was trusted since", errWithheld), "%s", named)
}

package registry

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// absent turns "no rows" into ErrNotFound of what was looked for.
func absent(err error, what, name string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%s %s: %w", what, shown(name), ErrNotFound)
	}
	return err
}

// shown is a name that may be repeated to the user: not one that must have been
// meant as a way to a database.
func shown(name string) string {
	if strings.Contains(name, "://") || strings.Contains(name, "@") || IsConnection(name) {
		return "***"
	}
	return name
}

package task

import (
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// TellDrivers says of a URL what in it only the driver of a program knows, which sp and psql leave out. A name
// that sp does not know is not shown: it may be a piece of a password.
func (t *Task) TellDrivers(url secret.Secret) {
	u, err := pgurl.Parse(url)
	if err != nil { // it was refused, or is kept as it is
		return
	}
	known, unknown := u.ForDrivers()
	if len(known) > 0 {
		t.Note("its URL keeps %s for the program's driver; sp and psql leave that out", strings.Join(known, ", "))
	}
	if unknown > 0 {
		t.Note("warning: its URL keeps %s that sp does not know from any driver; sp and psql leave that out", cli.Counted(unknown, "parameter"))
	}
}

package control

import "github.com/sp-registry/sp/internal/cli"

const backup = "stop spd, and put back the whole directory from a backup; sp.db and serve.db belong together"

// The hints for files that spd does not use.
var (
	restore         = cli.Advise(backup + ". Or name another directory with --dir")
	restoreOrAccept = cli.Advise(backup+". Or let spd forget the tenants that are not in this sp.db: %s", cli.To("spd serve", "--accept-registry"))
)

package control

import "github.com/sp-registry/sp/internal/cli"

const backup = "stop spd, move what is in the directory away, and put the whole directory back from a backup; sp.db and serve.db belong together"

// The hints for files that spd does not use.
var (
	restore         = cli.Advise(backup + "\nor name another directory with --dir")
	restoreOrAccept = cli.Advise(backup + "\nor start spd with --accept-registry: it takes sp.db as it is, and forgets what is not in there")
)

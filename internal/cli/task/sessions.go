package task

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/provision"
)

// Sessions counts sessions and names the applications that have them: "3 sessions (shop 2, psql 1)".
func Sessions(uses []provision.Use) string {
	const most = 5 // that are named
	n, names := 0, []string{}
	for i, u := range uses {
		n += u.Sessions
		switch {
		case i < most:
			names = append(names, fmt.Sprintf("%s %d", cmp.Or(u.Application, "without a name"), u.Sessions))
		case i == most:
			names = append(names, "and others")
		}
	}
	if n == 0 {
		return "no sessions"
	}
	return cli.Counted(n, "session") + " (" + strings.Join(names, ", ") + ")"
}

package task

import (
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

// StrangerRecord is who else may connect to a tenant's database, in JSON.
type StrangerRecord struct {
	Role   string `json:"role"`
	Revoke string `json:"revoke"`
}

// StrangersOf are strangers in JSON.
func StrangersOf(found []provision.Stranger) []StrangerRecord {
	records := []StrangerRecord{}
	for _, s := range found {
		records = append(records, StrangerRecord(s))
	}
	return records
}

// WarnOfStrangers names roles of others that may connect to a tenant's database, and says how that is ended.
func (t *Task) WarnOfStrangers(id registry.TenantID, found []StrangerRecord) {
	if len(found) == 0 {
		return
	}
	var roles []string
	arguments, isMember := []string{string(id), "--"}, false
	for _, s := range found {
		if !slices.Contains(roles, s.Role) {
			roles = append(roles, s.Role)
		}
		isMember = isMember || !strings.Contains(s.Revoke, " ON DATABASE ")
		arguments = append(arguments, "-c", s.Revoke)
	}
	end := cli.To("sp psql", arguments...)
	if isMember { // which is the administrator's to end
		end = cli.To("sp db psql", arguments...)
	}
	t.Note("warning: others may connect to the database of tenant %s, whatever its password: %s; if that is not meant: %s", id, cli.Some(roles), end)
}

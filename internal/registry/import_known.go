package registry

import "github.com/sp-registry/sp/internal/secret"

// merge returns what becomes of a known tenant when a file says file of it: the
// file's values, but for a mask, which never replaces a real value, and for the
// optional members that the file lacks, which stay unless exact.
func merge(known, file Tenant, exact bool) (Tenant, Step) {
	m := merger{exact: exact, step: Step{Action: Update, ID: known.ID, Name: file.Name}}
	merged := file
	merged.AppID = mergeMember(&m, "app_id", known.AppID, file.AppID)
	merged.Hostname = mergeMember(&m, "hostname", known.Hostname, file.Hostname)
	merged.Region = mergeMember(&m, "region", known.Region, file.Region)
	merged.DatabaseURL = m.url("database_url", known.DatabaseURL, file.DatabaseURL)
	merged.InternalDatabaseURL = m.url("internal_database_url", known.InternalDatabaseURL, file.InternalDatabaseURL)
	merged.SyncToken = mergeMember(&m, "sync_token", known.SyncToken, file.SyncToken)
	merged.SharedContainerDB = mergeMember(&m, "shared_container_db", known.SharedContainerDB, file.SharedContainerDB)
	merged.Unknown = m.unknown(known.Unknown, file.Unknown)
	m.step.Changed = known.Differing(merged)
	return merged, m.step
}

type merger struct {
	exact bool
	step  Step
}

func mergeMember[T any](m *merger, name string, known, file *T) *T {
	if file != nil || known == nil || m.exact {
		return file
	}
	m.step.Kept = append(m.step.Kept, name)
	return known
}

func (m *merger) url(name string, known, file *secret.Secret) *secret.Secret {
	if known != nil && file != nil && !known.Empty() && IsMasked(*file) && !IsMasked(*known) {
		m.step.Masked = append(m.step.Masked, name)
		return known
	}
	return mergeMember(m, name, known, file)
}

func (m *merger) unknown(known, file Members) Members {
	if m.exact {
		return file
	}
	for name := range known.all {
		if _, ok := file.value(name); !ok {
			m.step.Kept = append(m.step.Kept, name)
		}
	}
	return known.with(file)
}

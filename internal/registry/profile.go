package registry

import "time"

// Profile is a configuration; it belongs to exactly one tenant. Its name is
// unique in the registry, for it names a directory.
type Profile struct {
	Name   string
	Tenant TenantID
}

// Session is what is active in one tenant: the profile chosen there. It outlives
// the selection of another tenant, so that coming back restores it.
type Session struct {
	Tenant   TenantID
	Profile  string
	ChosenAt time.Time
}

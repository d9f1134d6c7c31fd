package follow

import (
	"context"
	"fmt"
	"slices"

	"github.com/sp-registry/sp/internal/registry"
)

// Contents is what the files of a directory say, except tenants.json.
type Contents struct {
	Profiles []FoundProfile
	// Sessions is nil if there is no index of sessions. IndexHash is the index's SHA-256.
	Sessions  *registry.SessionsEdit
	IndexHash string
	// Left says why some files can't be imported.
	Left []registry.Left
}

// FoundProfile is a profile with the text of its profile.yaml.
type FoundProfile struct {
	registry.ImportedProfile
	Configuration []byte
}

// Confine resolves a path that starts at a place inside the directory, and returns it relative to
// the directory. A path that leads out of the directory is an error.
type Confine func(from, value string) (inside string, err error)

// ContentsOf reads the profiles with the given profile.yaml files, their secrets, and the sessions.
// A file that can't be used, or that names a file outside the directory, is an error that names it.
// Valid content that has no place in a registry is listed in Left.
func ContentsOf(d Directory, profiles []string, confine Confine) (c Contents, err error) {
	for _, file := range profiles {
		if err := d.findProfile(profileOf(file), confine, &c); err != nil {
			return c, err
		}
	}
	if err := d.findSessions(&c); err != nil {
		return c, err
	}
	return c, d.findCredentials(&c)
}

// Why something is left out that a file of the directory holds.
const (
	namesNoTenant   = "names_none"  // it names no tenant
	unreadableEntry = "unreadable"  // it is not as sp knows such entries
	otherPlace      = "other_place" // sp keeps that elsewhere
	noPlace         = "no_place"    // the registry has no place for it
)

func (c *Contents) leave(reason string, format string, args ...any) {
	c.Left = append(c.Left, registry.Left{Reason: reason, Why: fmt.Sprintf(format, args...)})
}

func (d Directory) findProfile(name string, confine Confine, c *Contents) error {
	inside := ProfilePath(name)
	text, found, err := d.read(inside)
	if err != nil || !found {
		return err
	}
	tenant, err := TenantOf(text)
	if err != nil {
		return fmt.Errorf("%s: %w: %w", d.full(inside), ErrUnusable, err)
	}
	references, err := d.references(name, text, confine)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnusable, err)
	}
	for _, r := range references {
		if r.Member == "secrets.secrets_path" && r.Inside != SecretsPath(name) {
			c.leave(otherPlace, "%s: %s: sp keeps a profile's secrets in secrets.json", inside, r.Member)
		}
	}
	if tenant == nil {
		c.leave(namesNoTenant, "%s: it names no tenant (cloud.tenant_id)", inside)
		return nil
	}
	p := FoundProfile{Configuration: text}
	p.Name, p.Tenant = name, *tenant
	if p.Secrets, err = d.findSecrets(name); err != nil {
		return err
	}
	c.Profiles = append(c.Profiles, p)
	return nil
}

// Configurations returns the texts of the profile.yaml files by profile.
func (c Contents) Configurations() map[string][]byte {
	texts := map[string][]byte{}
	for _, p := range c.Profiles {
		texts[p.Name] = p.Configuration
	}
	return texts
}

// Known removes from the contents of the registry's own directory what sp itself wrote there.
// Another program's changes of the index of sessions are merged before a change, so of the secrets
// only those that it changed remain.
func (d Directory) Known(ctx context.Context, view *registry.View, c *Contents) error {
	index, err := view.FollowingFile(ctx, IndexPath)
	if err != nil {
		return err
	}
	if index != nil {
		c.Sessions, c.IndexHash = nil, ""
	}
	for i, p := range c.Profiles {
		file, err := view.FollowingFile(ctx, SecretsPath(p.Name))
		if err != nil {
			return err
		}
		if file == nil {
			continue
		}
		written, err := readSecrets([]byte(file.Base))
		if err != nil {
			return fmt.Errorf("what was written last: %w", err)
		}
		c.Profiles[i].Secrets = slices.DeleteFunc(p.Secrets, func(s registry.ProfileSecret) bool {
			return slices.ContainsFunc(written, func(m secretMember) bool { return m.Name == s.Key && m.Value.Equal(s.Value) })
		})
	}
	return nil
}

// Taken returns the file that prevents a new profile from being made, if there is one, because
// anybody may have written its secrets. A profile.yaml does not prevent it: it is taken over, and
// named is the tenant that it names.
func (d Directory) Taken(profile string) (file string, named *registry.TenantID, err error) {
	if _, found, err := d.read(SecretsPath(profile)); err != nil || found {
		return d.full(SecretsPath(profile)), nil, err
	}
	text, found, err := d.read(ProfilePath(profile))
	if err != nil || !found {
		return "", nil, err
	}
	named, err = TenantOf(text)
	if err != nil {
		err = fmt.Errorf("%s: %w: %w", d.full(ProfilePath(profile)), ErrUnusable, err)
	}
	return "", named, err
}

// findSecrets reads the secrets of a profile that are not its tenant's.
func (d Directory) findSecrets(name string) (secrets []registry.ProfileSecret, err error) {
	text, _, err := d.read(SecretsPath(name))
	if err != nil {
		return nil, err
	}
	members, err := readSecrets(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.full(SecretsPath(name)), err)
	}
	for _, m := range members {
		if !slices.Contains(registry.TenantSecrets, m.Name) && !m.Value.Empty() {
			secrets = append(secrets, registry.ProfileSecret{Key: m.Name, Value: m.Value})
		}
	}
	return secrets, nil
}

// findSessions reads the index. Who moves over wants to go on where he was; a tenant
// that is selected here stays so all the same.
func (d Directory) findSessions(c *Contents) error {
	text, found, err := d.read(IndexPath)
	if err != nil || !found {
		return err
	}
	index, err := readIndex(text)
	if err != nil {
		return fmt.Errorf("%s: %w", d.full(IndexPath), err)
	}
	c.IndexHash = hashOf(text)
	c.Sessions = &registry.SessionsEdit{Put: index.Sessions, Active: index.Active, KeepSelection: true}
	if index.ActiveProfile != nil {
		c.Sessions.ActiveProfile = *index.ActiveProfile
	}
	for _, foreign := range index.Foreign {
		c.leave(unreadableEntry, "%s: %s: %s", IndexPath, foreign.Key, foreign.Why)
	}
	return nil
}

// credentialsPath is where the login to a control plane is kept, within the directory.
const credentialsPath = "credentials.json"

// findCredentials recognises the file that logs in to a control plane.
func (d Directory) findCredentials(c *Contents) error {
	_, found, err := d.read(credentialsPath)
	if err != nil || !found {
		return err
	}
	c.leave(noPlace, "%s: the registry has no place for it; it stays as it is", credentialsPath)
	return nil
}

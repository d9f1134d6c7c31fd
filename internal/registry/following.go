package registry

import (
	"context"

	"github.com/sp-registry/sp/db/queries"
)

// FollowingFile is what the registry remembers of a file that follows it, by its path in
// the directory, such as sessions/index.json: which kind of file it is and whose profile's,
// if one's; and the SHA-256 of what stood there before and of what is to stand there, in
// hexadecimal and empty for no file. It is due from the change that it has to show until a
// later one finds it in place. One that sp knows and has not written itself has one hash for
// both.
type FollowingFile struct {
	Path, Kind, Profile, Previous, Current string
	// Base is what another program's changes show against, and Former the one before, while
	// Base may not be in place; nil when it is certain to be.
	Base   string
	Former *string
	Due    bool
}

// FollowingFile returns what is remembered of the file at path, nil if nothing is.
func (v *View) FollowingFile(ctx context.Context, path string) (*FollowingFile, error) {
	row, err := v.q.FollowingFile(ctx, path)
	if there, err := isThere(err); !there {
		return nil, err
	}
	file := FollowingFile(row)
	return &file, nil
}

// FollowingFiles returns all files that follow and that the registry remembers, by their
// paths.
func (v *View) FollowingFiles(ctx context.Context) ([]FollowingFile, error) {
	rows, err := v.q.FollowingFiles(ctx)
	var files []FollowingFile
	for _, row := range rows {
		files = append(files, FollowingFile(row))
	}
	return files, err
}

// DueFiles returns the files that earlier changes may have left behind.
func (v *View) DueFiles(ctx context.Context) ([]FollowingFile, error) {
	rows, err := v.q.DueFiles(ctx)
	var files []FollowingFile
	for _, row := range rows {
		files = append(files, FollowingFile(row))
	}
	return files, err
}

// Due says what of a change the small files have to show.
type Due struct {
	// Sessions tells that a session changed, or what is selected.
	Sessions bool
	// Profiles are those whose secrets, name or tenant changed, or that are no more.
	Profiles map[string]bool
	// Renamed are the profiles that have a new name, which is the value, and Relinked
	// those of another tenant now, by their names, with the tenant that they had.
	Renamed  map[string]string
	Relinked map[string]TenantID
}

func newDue() *Due {
	return &Due{Profiles: map[string]bool{}, Renamed: map[string]string{}, Relinked: map[string]TenantID{}}
}

// Due returns what the change that this is a view of has done so far, for the small
// files; a view of no change has nothing.
func (v *View) Due() Due {
	if v.due == nil {
		return Due{}
	}
	return *v.due
}

// dueOf notes the profiles of a tenant whose secrets.json shows something else now.
func (c *change) dueOf(ctx context.Context, before, after Tenant) error {
	if len(onlyConnection(before).Differing(onlyConnection(after))) == 0 {
		return nil
	}
	for p, err := range c.Profiles(ctx, &before.ID, Page{}) {
		if err != nil {
			return err
		}
		c.due.Profiles[p.Name] = true
	}
	return nil
}

// onlyConnection is what secrets.json shows of a tenant.
func onlyConnection(t Tenant) Tenant {
	return Tenant{Kind: t.Kind, DatabaseURL: t.DatabaseURL, InternalDatabaseURL: t.InternalDatabaseURL, SyncToken: t.SyncToken}
}

// Followed is what a change has the registry remember of the files that follow it.
type Followed struct {
	Files     []File
	Following []FollowingFile
	Forgotten []string // paths of small ones that are no more
}

// Remember notes what is to be known of the files that follow the change.
func (t *Tx) Remember(ctx context.Context, followed Followed) error {
	for _, f := range followed.Files {
		if err := t.q.PutFile(ctx, queries.PutFileParams{
			Path: f.Path, Previous: f.Previous, Current: f.Current, TenantsRevision: f.TenantsRevision,
		}); err != nil {
			return err
		}
		if err := t.rememberPublished(ctx, f); err != nil {
			return err
		}
	}
	for _, f := range followed.Following {
		if err := t.q.PutFollowingFile(ctx, queries.PutFollowingFileParams(f)); err != nil {
			return err
		}
	}
	for _, path := range followed.Forgotten {
		if err := t.q.DeleteFile(ctx, path); err != nil {
			return err
		}
	}
	return nil
}

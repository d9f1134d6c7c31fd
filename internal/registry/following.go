package registry

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sp-registry/sp/db/queries"
)

// FollowingFile is what the registry remembers of a small file that follows it, by its
// path in the directory, such as sessions/index.json: the SHA-256 of what stood there
// before and of what is to stand there, in hexadecimal and empty for no file, and Base,
// against which what another program changes there shows. It is due from the change
// that it has to show until a later one finds it in place. One that sp knows and has not
// written itself has one hash for both.
type FollowingFile struct {
	Path              string
	Previous, Current string
	Base              string
	Due               bool
}

// isFollowing tells a small file's path from that of tenants.json and of copies of it.
func isFollowing(path string) bool { return !filepath.IsAbs(path) && strings.Contains(path, "/") }

// FollowingFile returns what is remembered of the file at path, nil if nothing is.
func (v *View) FollowingFile(ctx context.Context, path string) (*FollowingFile, error) {
	row, err := v.q.FollowingFile(ctx, path)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	file := FollowingFile(row)
	return &file, nil
}

// FollowingFiles returns all small files that the registry remembers, by their paths.
func (v *View) FollowingFiles(ctx context.Context) ([]FollowingFile, error) {
	rows, err := v.q.Files(ctx)
	var files []FollowingFile
	for _, row := range rows {
		if isFollowing(row.Path) {
			files = append(files, FollowingFile{Path: row.Path, Previous: row.Previous, Current: row.Current, Base: row.Base, Due: row.Due})
		}
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
	// Profiles are those whose secrets, name or tenant changed, or that are no more, in order.
	Profiles []string
	// Renamed are the profiles that have a new name, which is the value, and Relinked
	// those of another tenant now, by their names, with the tenant that they had.
	Renamed  map[string]string
	Relinked map[string]TenantID
}

// Due returns what the change that this is a view of has done so far, for the small
// files; a view of no change has nothing.
func (v *View) Due() Due {
	if v.due == nil {
		return Due{}
	}
	return Due{Sessions: v.due.sessions, Profiles: slices.Sorted(maps.Keys(v.due.profiles)), Renamed: v.due.renamed, Relinked: v.due.relinked}
}

// due gathers what Due tells.
type due struct {
	sessions bool
	profiles map[string]bool
	renamed  map[string]string
	relinked map[string]TenantID
}

func newDue() *due {
	return &due{profiles: map[string]bool{}, renamed: map[string]string{}, relinked: map[string]TenantID{}}
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
		c.due.profiles[p.Name] = true
	}
	return nil
}

// onlyConnection is what secrets.json shows of a tenant.
func onlyConnection(t Tenant) Tenant {
	return Tenant{Kind: t.Kind, DatabaseURL: t.DatabaseURL, InternalDatabaseURL: t.InternalDatabaseURL, SyncToken: t.SyncToken}
}

// remember notes what is to be known of the files of a publication.
func (c *change) remember(ctx context.Context, p Publication) error {
	for _, f := range p.Files {
		if err := c.q.PutFile(ctx, queries.PutFileParams{
			Path: f.Path, Previous: f.Previous, Current: f.Current, TenantsRevision: f.TenantsRevision, Stamp: f.Stamp,
		}); err != nil {
			return err
		}
		if err := c.rememberPublished(ctx, f); err != nil {
			return err
		}
	}
	for _, f := range p.Following {
		if err := c.q.PutFollowingFile(ctx, queries.PutFollowingFileParams(f)); err != nil {
			return err
		}
	}
	for _, path := range p.Forgotten {
		if err := c.q.DeleteFile(ctx, path); err != nil {
			return err
		}
	}
	return nil
}

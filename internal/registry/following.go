package registry

import (
	"context"
	"fmt"
	"iter"
	"math"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/sp-registry/sp/db/queries"
	"github.com/sp-registry/sp/db/scan"
	"github.com/sp-registry/sp/internal/secret"
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

// rememberPublished notes when tenants.json began to show a state, by the clock of the
// file system, and whether this change took over what stood there before.
func (c *change) rememberPublished(ctx context.Context, f File) error {
	if filepath.IsAbs(f.Path) {
		return nil
	}
	if c.touched && c.read != "" && f.Previous == c.read {
		if err := c.q.MarkTaken(ctx, c.revision); err != nil {
			return err
		}
	}
	if f.Written.IsZero() {
		return nil
	}
	written := f.Written.UnixMicro()
	return c.q.MarkPublished(ctx, queries.MarkPublishedParams{Published: &written, Sequence: f.TenantsRevision})
}

// everyTenant reads what a Record holds: behind the position the members, in their order,
// and those that the record does not define.
var everyTenant = "SELECT position, " + columns() + ", unknown_members FROM tenants ORDER BY position"

func columns() string {
	var names []string
	for _, m := range Members {
		names = append(names, m.Name)
	}
	return strings.Join(names, ", ")
}

// Record is a tenant as it is stored, for who turns all of them into something else: a
// Tenant of each costs more than reading it. It is gone when the next one is read.
type Record struct {
	position int64
	text     [][]byte // of the members, in their order
	Unknown  Unknown
}

// Reveal returns a member in text, nil if it is absent. Some are secrets.
func (r *Record) Reveal(m *Member) []byte { return r.text[m.index] }

// Format writes the redaction, whatever the verb.
func (r Record) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(secret.Redacted)) }

// truths are how a Record has what is 0 or 1 in a row.
var truths = [][]byte{[]byte("false"), []byte("true")}

// read takes a row over and tells whether it makes sense, as tenantOf and what scans for
// it do.
func (r *Record) read(row *scan.Rows) bool {
	for i, m := range Members {
		if m.Truth {
			truth := row.Int(i + 1)
			if truth != 0 && truth != 1 {
				return false
			}
			r.text[i] = truths[truth]
			continue
		}
		text := row.Text(i + 1)
		if !utf8.Valid(text) || m.Required && len(text) == 0 || m.Choices != nil && !isKind(Kind(text)) {
			return false
		}
		r.text[i] = text
	}
	unknown := row.Text(len(Members) + 1)
	if unknown == nil || !utf8.Valid(unknown) {
		return false
	}
	r.position, r.Unknown = row.Int(0), NewUnknown(string(unknown))
	return r.Unknown.check() == nil && !row.Failed()
}

// fewTenants is up to how many positions another connection to the file is not worth it.
const fewTenants = 1000

// Rendering is what becomes of tenants: each function appends one to a text, and both
// append the same.
type Rendering struct {
	Record func(text []byte, r *Record) []byte
	Tenant func(text []byte, t Tenant) []byte
}

// Rendered streams what becomes of all tenants, in their order of entry, some at a time;
// a piece is gone when the next is asked for.
func (v *View) Rendered(ctx context.Context, rendering Rendering) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		const full = 64 << 10
		text := make([]byte, 0, full*3/2)
		passOn := func() bool {
			wanted := len(text) < full || yield(text, nil)
			if len(text) >= full {
				text = text[:0]
			}
			return wanted
		}
		after := int64(math.MinInt64)
		for r := range v.records(ctx) {
			text, after = rendering.Record(text, r), r.position
			if !passOn() {
				return
			}
		}
		for row, err := range v.rowsAfter(ctx, after, 0) {
			var t Tenant
			if err == nil {
				t, err = tenantOf(row)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			text = rendering.Tenant(text, t)
			if !passOn() {
				return
			}
		}
		if len(text) > 0 {
			yield(text, nil)
		}
	}
}

// records yields what can be read the fast way, from the first tenant on. It ends
// without a word: what is behind the last record, and what is wrong with it, is found
// in the plain way.
func (v *View) records(ctx context.Context) iter.Seq[*Record] {
	return func(yield func(*Record) bool) {
		if v.file == nil || !v.hasMany(ctx) {
			return
		}
		path, file := v.file()
		rows, err := scan.Open(path, file, everyTenant)
		if err != nil {
			return
		}
		defer rows.Close()
		r := &Record{text: make([][]byte, len(Members))}
		for ctx.Err() == nil && rows.Next() && r.read(rows) && yield(r) {
		}
	}
}

// hasMany tells whether positions go so far that there may be many tenants.
func (v *View) hasMany(ctx context.Context) bool {
	last, err := v.q.LastPosition(ctx)
	return err == nil && last > fewTenants
}

package registry

import (
	"context"
	"fmt"
	"iter"
	"math"
	"unicode/utf8"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/secret"
)

// Column is one of a Record's texts, in the order of tenants.json.
type Column int

// The columns of a Record.
const (
	ColumnID Column = iota + 1
	ColumnName
	ColumnAppID
	ColumnHostname
	ColumnRegion
	ColumnDatabaseURL
	ColumnInternalDatabaseURL
	ColumnKind
	ColumnSyncToken
	ColumnSharedContainerDB
	columnUnknown
	columnAccess
)

// everyTenant reads what a Record holds.
const everyTenant = `SELECT position, id, name, app_id, hostname, region, database_url, internal_database_url,
	tenant_type, sync_token, shared_container_db, unknown_members, external_db_access
	FROM tenants WHERE position >= ?1 ORDER BY position`

// Record is a tenant as it is stored, for who turns all of them into something else: a
// Tenant of each costs more than reading it. It is gone when the next one is read.
type Record struct {
	text             [columnAccess][]byte
	Unknown          Members
	ExternalDBAccess bool
}

// Reveal returns a text, nil if it is absent. Some are secrets.
func (r *Record) Reveal(c Column) []byte { return r.text[c] }

// Format writes the redaction, whatever the verb.
func (r Record) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(secret.Redacted)) }

// read takes a row over and tells whether it makes sense, as tenantOf and what scans for
// it do.
func (r *Record) read(row db.Row) bool {
	for c := ColumnID; c <= columnUnknown; c++ {
		r.text[c] = row.Text(int(c))
		if !utf8.Valid(r.text[c]) {
			return false
		}
	}
	kind := Kind(r.text[ColumnKind])
	if len(r.text[ColumnID]) == 0 || len(r.text[ColumnName]) == 0 || kind != Local && kind != Cloud {
		return false
	}
	access := row.Int(int(columnAccess))
	if access != 0 && access != 1 || r.text[columnUnknown] == nil {
		return false
	}
	r.ExternalDBAccess = access == 1
	r.Unknown = NewMembers(string(r.text[columnUnknown]))
	return r.Unknown.check() == nil
}

// fewTenants is up to how many positions it is not worth a look at the file by others.
const fewTenants = 1000

// Rendering is what becomes of tenants: each function appends one to a text, and both
// append the same. Record may be called by several goroutines.
type Rendering struct {
	Record func(text []byte, r *Record) []byte
	Tenant func(text []byte, t Tenant) []byte
}

// Rendered streams what becomes of all tenants, in their order of entry, some at a time;
// a piece is gone when the next is asked for.
func (v *View) Rendered(ctx context.Context, rendering Rendering) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		after, ended, err := v.scanned(ctx, rendering.Record, func(piece []byte) bool { return yield(piece, nil) })
		if err != nil {
			yield(nil, err)
		}
		if ended || err != nil {
			return
		}
		text := make([]byte, 0, 96<<10)
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
			if len(text) >= 64<<10 {
				if !yield(text, nil) {
					return
				}
				text = text[:0]
			}
		}
		if len(text) > 0 {
			yield(text, nil)
		}
	}
}

// scanned yields what it can read the fast way, and returns behind which position the
// rest is to be read, or that nobody wants it.
func (v *View) scanned(ctx context.Context, render func([]byte, *Record) []byte, yield func([]byte) bool) (after int64, ended bool, err error) {
	after = math.MinInt64
	if v.scan == nil {
		return after, false, nil
	}
	if many, err := v.hasMany(ctx); err != nil || !many {
		return after, false, err
	}
	scan := db.Scan{Query: everyTenant, Render: func() db.Render {
		r := &Record{}
		return func(text []byte, row db.Row) ([]byte, bool) {
			if !r.read(row) {
				return text, false
			}
			return render(text, r), true
		}
	}}
	for piece := range v.scan(ctx, scan) {
		if !yield(piece.Text) {
			return after, true, nil
		}
		after = piece.Last
	}
	return after, false, nil
}

// hasMany tells whether positions go so far that there may be many tenants.
func (v *View) hasMany(ctx context.Context) (bool, error) {
	last, err := v.q.LastPosition(ctx)
	return last > fewTenants, err
}

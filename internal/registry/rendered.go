package registry

import (
	"context"
	"fmt"
	"iter"
	"math"
	"unicode/utf8"

	"github.com/sp-registry/sp/db/scan"
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
	FROM tenants ORDER BY position`

// Record is a tenant as it is stored, for who turns all of them into something else: a
// Tenant of each costs more than reading it. It is gone when the next one is read.
type Record struct {
	position         int64
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
func (r *Record) read(row *scan.Rows) bool {
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
	r.position, r.ExternalDBAccess = row.Int(0), access == 1
	r.Unknown = NewMembers(string(r.text[columnUnknown]))
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
		r := &Record{}
		for ctx.Err() == nil && rows.Next() && r.read(rows) && yield(r) {
		}
	}
}

// hasMany tells whether positions go so far that there may be many tenants.
func (v *View) hasMany(ctx context.Context) bool {
	last, err := v.q.LastPosition(ctx)
	return err == nil && last > fewTenants
}

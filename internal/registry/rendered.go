package registry

import (
	"context"
	"fmt"
	"iter"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/sp-registry/sp/db/scan"
	"github.com/sp-registry/sp/internal/secret"
)

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

package registry

import (
	"context"
	"fmt"
	"iter"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/secret"
)

// everyTenant reads what a Record holds: behind the position the members, in their order,
// and those that the record does not define.
var everyTenant = "SELECT position, " + columns() + ", unknown_members FROM tenants WHERE position >= ?1 ORDER BY position"

func columns() string {
	var names []string
	for _, m := range RecordMembers {
		names = append(names, m.Name)
	}
	return strings.Join(names, ", ")
}

// Record is a tenant as it is stored, for who turns all of them into something else: a
// Tenant of each costs more than reading it. It is gone when the next one is read.
type Record struct {
	text    [][]byte // of the members, in their order
	Unknown Members
}

// Reveal returns a member in text, nil if it is absent. Some are secrets.
func (r *Record) Reveal(m *Member) []byte { return r.text[m.index] }

// Format writes the redaction, whatever the verb.
func (r Record) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(secret.Redacted)) }

// truths are how a Record has what is 0 or 1 in a row.
var truths = [][]byte{[]byte("false"), []byte("true")}

// read takes a row over and tells whether it makes sense, as tenantOf and what scans for
// it do.
func (r *Record) read(row db.Row) bool {
	for i, m := range RecordMembers {
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
	unknown := row.Text(len(RecordMembers) + 1)
	if unknown == nil || !utf8.Valid(unknown) {
		return false
	}
	r.Unknown = NewMembers(string(unknown))
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
		r := &Record{text: make([][]byte, len(RecordMembers))}
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

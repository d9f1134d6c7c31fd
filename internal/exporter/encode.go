// Package exporter is tenants.json: its bytes, reading it strictly, and in what it differs
// from the registry. It puts nothing in place: internal/workspace does.
package exporter

import (
	"io"
	"iter"

	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
)

// flushAt is how many bytes of text Encode gathers before it writes them.
const flushAt = 64 << 10

// Encode writes tenants.json as the original tool does, byte for byte:
//
//	{
//	  "tenants": [
//	    {
//	      "id": "local_19bff27604c",
//	      "name": "my-project",
//	      "tenant_type": "local",
//	      "external_db_access": false
//	    }
//	  ],
//	  "synced_at": "2026-02-01T10:00:00Z"
//	}
//
// with no newline at the end. Absent members are left out, empty ones are not;
// members that the record does not define follow the defined ones. An error of
// tenants or of w ends it and is returned as it is; what was written by then is
// a torso.
func Encode(w io.Writer, doc registry.Document, tenants iter.Seq2[registry.Tenant, error]) error {
	text := make([]byte, 0, flushAt+flushAt/4)
	text = append(text, head...)
	some := false
	var current registry.Tenant // one place for all, as it is pointed at
	for tenant, err := range tenants {
		if err != nil {
			return err
		}
		if len(text) >= flushAt {
			if _, err := w.Write(text); err != nil {
				return err
			}
			text = text[:0]
		}
		if some {
			text = append(text, ',')
		}
		current = tenant
		text = appendTenant(text, &current)
		some = true
	}
	_, err := w.Write(appendTail(text, doc, some))
	return err
}

const head = "{\n  \"tenants\": ["

// appendTail appends what follows the tenants.
func appendTail(text []byte, doc registry.Document, some bool) []byte {
	if some {
		text = append(text, "\n  "...)
	}
	text = append(text, "],\n  \"synced_at\": "...)
	text = jsontext.AppendString(text, registry.FormatTime(doc.SyncedAt))
	text = appendMembers(text, doc.Unknown, 1)
	return append(text, "\n}"...)
}

// EncodeDocumented writes what Encode writes, without the members that the
// record does not define.
func EncodeDocumented(w io.Writer, doc registry.Document, tenants iter.Seq2[registry.Tenant, error]) error {
	doc.Unknown = registry.Unknown{}
	return Encode(w, doc, func(yield func(registry.Tenant, error) bool) {
		for tenant, err := range tenants {
			tenant.Unknown = registry.Unknown{}
			if !yield(tenant, err) {
				return
			}
		}
	})
}

func appendTenant(text []byte, t *registry.Tenant) []byte {
	text = append(text, "\n    {"...)
	for i, m := range registry.Members {
		switch value, there := m.Reveal(t); {
		case !there:
		case m.Truth:
			text = append(append(text, memberStarts[i]...), value...)
		default:
			text = jsontext.AppendString(append(text, memberStarts[i]...), value)
		}
	}
	text = appendMembers(text, t.Unknown, 3)
	return append(text, "\n    }"...)
}

// memberStarts are what stands before the value of each member of the record.
var memberStarts = func() (starts []string) {
	for _, m := range registry.Members {
		starts = append(starts, ",\n      \""+m.Name+"\": ")
	}
	starts[0] = starts[0][len(","):]
	return starts
}()

// appendMembers appends members behind others of an object whose members stand
// at depth.
func appendMembers(text []byte, members registry.Unknown, depth int) []byte {
	if members.Empty() {
		return text
	}
	text = jsontext.AppendLine(append(text, ','), depth)
	return jsontext.AppendIndented(text, members.Reveal(), depth)
}

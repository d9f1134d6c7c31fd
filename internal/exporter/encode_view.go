package exporter

import (
	"context"
	"io"

	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
)

// EncodeView writes what Encode writes of all tenants of a view, or EncodeDocumented,
// and does it faster where there are many.
func EncodeView(ctx context.Context, w io.Writer, view *registry.View, doc registry.Document, documented bool) error {
	if documented {
		return EncodeDocumented(w, doc, view.Tenants(ctx, registry.Page{}))
	}
	if _, err := io.WriteString(w, head); err != nil {
		return err
	}
	some := 0
	var current registry.Tenant // one place for all, as it is pointed at
	next := func(text []byte, t registry.Tenant) []byte {
		current = t
		return appendTenant(append(text, ','), &current)
	}
	for piece, err := range view.Rendered(ctx, registry.Rendering{Record: appendNextRecord, Tenant: next}) {
		if err != nil {
			return err
		}
		if some == 0 {
			piece = piece[1:] // the comma
		}
		some++
		if _, err := w.Write(piece); err != nil {
			return err
		}
	}
	_, err := w.Write(appendTail(nil, doc, some > 0))
	return err
}

// appendNextRecord appends a comma and a tenant as it is stored.
func appendNextRecord(text []byte, r *registry.Record) []byte {
	text = append(text, ",\n    {"...)
	for i, m := range registry.Members {
		switch value := r.Reveal(m); {
		case value == nil:
		case m.Truth:
			text = append(append(text, memberStarts[i]...), value...)
		default:
			text = jsontext.AppendString(append(text, memberStarts[i]...), value)
		}
	}
	text = appendMembers(text, r.Unknown, 3)
	return append(text, "\n    }"...)
}

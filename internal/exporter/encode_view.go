package exporter

import (
	"context"
	"io"
	"strconv"

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
	for piece, err := range view.Rendered(ctx, registry.Rendering{Record: appendNextRecord, Tenant: appendNextTenant}) {
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

func appendNextTenant(text []byte, t registry.Tenant) []byte {
	return appendTenant(append(text, ','), t)
}

// appendNextRecord is appendNextTenant of a tenant as it is stored.
func appendNextRecord(text []byte, r *registry.Record) []byte {
	text = append(text, ",\n    {\n      \"id\": "...)
	text = jsontext.AppendString(text, r.Reveal(registry.ColumnID))
	text = appendColumn(text, ",\n      \"name\": ", r.Reveal(registry.ColumnName))
	text = appendColumn(text, ",\n      \"app_id\": ", r.Reveal(registry.ColumnAppID))
	text = appendColumn(text, ",\n      \"hostname\": ", r.Reveal(registry.ColumnHostname))
	text = appendColumn(text, ",\n      \"region\": ", r.Reveal(registry.ColumnRegion))
	text = appendColumn(text, ",\n      \"database_url\": ", r.Reveal(registry.ColumnDatabaseURL))
	text = appendColumn(text, ",\n      \"internal_database_url\": ", r.Reveal(registry.ColumnInternalDatabaseURL))
	text = appendColumn(text, ",\n      \"tenant_type\": ", r.Reveal(registry.ColumnKind))
	text = strconv.AppendBool(append(text, ",\n      \"external_db_access\": "...), r.ExternalDBAccess)
	text = appendColumn(text, ",\n      \"sync_token\": ", r.Reveal(registry.ColumnSyncToken))
	text = appendColumn(text, ",\n      \"shared_container_db\": ", r.Reveal(registry.ColumnSharedContainerDB))
	text = appendMembers(text, r.Unknown, 3)
	return append(text, "\n    }"...)
}

func appendColumn(text []byte, name string, value []byte) []byte {
	if value == nil {
		return text
	}
	return jsontext.AppendString(append(text, name...), value)
}

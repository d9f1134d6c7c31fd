package exporter_test

import (
	"bytes"
	"io"
	"iter"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
)

// file is what Decode made of a text.
type file struct {
	doc     registry.Document
	tenants []registry.Tenant
	places  []jsontext.Place
}

func decode(r io.Reader) (file, error) {
	var f file
	var err error
	f.doc, err = exporter.Decode(r, func(t registry.Tenant, at jsontext.Place) error {
		f.tenants = append(f.tenants, t)
		f.places = append(f.places, at)
		return nil
	})
	return f, err
}

func (f file) all() iter.Seq2[registry.Tenant, error] {
	return func(yield func(registry.Tenant, error) bool) {
		for _, t := range f.tenants {
			if !yield(t, nil) {
				return
			}
		}
	}
}

func mustDecode(t testing.TB, text string) file {
	t.Helper()
	f, err := decode(strings.NewReader(text))
	require.NoError(t, err)
	return f
}

func mustEncode(t testing.TB, f file) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, exporter.Encode(&b, f.doc, f.all()))
	return b.String()
}

func mustEncodeDocumented(t testing.TB, f file) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, exporter.EncodeDocumented(&b, f.doc, f.all()))
	return b.String()
}

// refusal returns why Decode refuses a text.
func refusal(t *testing.T, text string) *jsontext.FormatError {
	t.Helper()
	_, err := decode(strings.NewReader(text))
	var refused *jsontext.FormatError
	require.ErrorAs(t, err, &refused)
	return refused
}

const at10 = `"synced_at":"2026-02-01T10:00:00Z"`

// withTenant is a file whose one tenant has these members, beside id and name.
func withTenant(members string) string {
	return `{"tenants":[{"id":"a","name":"n",` + members + `}],` + at10 + `}`
}

// withUnknown is a file whose one tenant has a member x with this value.
func withUnknown(value string) string { return withTenant(`"x":` + value) }

// unknownOf returns the compact text of the unknown members of the one tenant.
func unknownOf(t *testing.T, text string) string {
	t.Helper()
	f := mustDecode(t, text)
	require.Len(t, f.tenants, 1)
	return f.tenants[0].Unknown.Reveal()
}

// named is a file whose one tenant has a name written as this JSON string.
func named(jsonString string) string {
	return `{"tenants":[{"id":"a","name":` + jsonString + `}],` + at10 + `}`
}

// nameOf returns the name of the one tenant.
func nameOf(t *testing.T, text string) string {
	t.Helper()
	f := mustDecode(t, text)
	require.Len(t, f.tenants, 1)
	return f.tenants[0].Name
}

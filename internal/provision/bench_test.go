package provision

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/secret"
)

// BenchmarkDatabase is the life of a tenant's database on a server that runs, each part by itself:
// SP_TEST_POSTGRES=start go test ./internal/provision -run '^$' -bench Database -benchtime 20x
func BenchmarkDatabase(b *testing.B) {
	ctx := b.Context()
	s, err := Connect(ctx, pgtest.Server(b))
	require.NoError(b, err)
	b.Cleanup(func() { _ = s.Close() })
	next := 0
	fresh := func() Database {
		next++
		name := fmt.Sprintf("sp_bench_%d", next)
		return Database{Name: name, Tenant: name}
	}
	made := func() (Database, secret.Secret) {
		d := fresh()
		url, err := s.Create(ctx, d, rand.Reader)
		require.NoError(b, err)
		return d, url
	}
	drop := func(d Database) { require.NoError(b, s.Drop(ctx, d)) }
	b.Run("create", func(b *testing.B) {
		for b.Loop() {
			d, _ := made()
			b.StopTimer()
			drop(d)
			b.StartTimer()
		}
	})
	b.Run("drop", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			d, _ := made()
			b.StartTimer()
			drop(d)
		}
	})
	d, url := made()
	b.Cleanup(func() { _ = s.Drop(context.Background(), d) })
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			_, err := Check(ctx, url)
			require.NoError(b, err)
		}
	})
	b.Run("rotate", func(b *testing.B) {
		for l := LoginB; b.Loop(); l = other(l) {
			_, err := s.Enable(ctx, d, l, rand.Reader)
			require.NoError(b, err)
			_, err = s.Retire(ctx, d, other(l))
			require.NoError(b, err)
		}
	})
}

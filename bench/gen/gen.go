// Package gen makes registries to measure with: the same bytes for the same size, on
// every machine.
package gen

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
)

// seed is the only choice there is; another one makes other registries.
const seed = 0x5eed_0000_2026_0201

// syncedAt ends every file.
const syncedAt = "2026-02-01T10:00:00Z"

// Write writes tenants.json with n tenants, the bytes that sp export and serde_json's
// pretty printer would write:
//
//   - tenants of even number are local (id, name, database_url, tenant_type,
//     external_db_access, shared_container_db), those of odd number cloud, with all the
//     other members: all eleven stand in every file of two;
//   - ids of local ones grow with their number, as time does; those of cloud ones are random;
//   - one name in 16 has a letter that is not ASCII, one in 64 a quote, which is escaped;
//   - one cloud tenant in four can be reached from outside and has two URLs;
//   - tenant i is the same in every file, so that a smaller one is the start of a larger;
//   - about 445 bytes a tenant.
func Write(w io.Writer, n int) error {
	out := bufio.NewWriterSize(w, 1<<20)
	fmt.Fprint(out, "{\n  \"tenants\": [")
	for i := range n {
		if i > 0 {
			fmt.Fprint(out, ",")
		}
		writeTenant(out, i)
	}
	fmt.Fprintf(out, "\n  ],\n  \"synced_at\": %q\n}", syncedAt)
	return out.Flush() // which has the first error of all
}

// source is the randomness of tenant i.
func source(i int) *rand.Rand { return rand.New(rand.NewPCG(seed, uint64(i))) }

// ID is the id of tenant i.
func ID(i int) string { return id(i, source(i)) }

// IsLocal tells the type of tenant i.
func IsLocal(i int) bool { return i%2 == 0 }

// id must be the first to draw from the source.
func id(i int, r *rand.Rand) string {
	if IsLocal(i) {
		return fmt.Sprintf("local_%011x", 0x19bff27604c+int64(i)*1000+r.Int64N(1000))
	}
	a, b := r.Uint64(), r.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>52, b&0xffff_ffff_ffff)
}

// name has in escaped form what JSON escapes.
func name(i int) string {
	switch {
	case i%64 == 5:
		return fmt.Sprintf(`the \"project\" %06d`, i)
	case i%16 == 3:
		return fmt.Sprintf("projekt-größe-%06d", i)
	}
	return fmt.Sprintf("project-%06d-web", i)
}

var regions = []string{"iad", "fra", "sin", "syd", "gru"}

func writeTenant(out io.Writer, i int) {
	r := source(i)
	member(out, "\n    {\n", "id", id(i, r))
	member(out, ",\n", "name", name(i))
	if IsLocal(i) {
		writeLocal(out, r)
	} else {
		writeCloud(out, r)
	}
	fmt.Fprint(out, "\n    }")
}

func writeLocal(out io.Writer, r *rand.Rand) {
	database := fmt.Sprintf("systemprompt_%08x", r.Uint32())
	member(out, ",\n", "database_url", fmt.Sprintf("postgres://%s:%s@localhost:5432/%s?sslmode=disable", database, random(r, 2), database))
	member(out, ",\n", "tenant_type", "local")
	fmt.Fprint(out, ",\n      \"external_db_access\": false")
	member(out, ",\n", "shared_container_db", database)
}

func writeCloud(out io.Writer, r *rand.Rand) {
	app := fmt.Sprintf("%012x", r.Uint64()>>16)
	login := fmt.Sprintf("tenant_%s:%s", app, random(r, 2))
	outside := r.IntN(4) == 0
	member(out, ",\n", "app_id", "sp-"+app)
	member(out, ",\n", "hostname", app+".systemprompt.io")
	member(out, ",\n", "region", regions[r.IntN(len(regions))])
	if outside {
		member(out, ",\n", "database_url", fmt.Sprintf("postgres://%s@db-%s.systemprompt.io:5432/tenant_%s?sslmode=require", login, app, app))
	}
	member(out, ",\n", "internal_database_url", fmt.Sprintf("postgres://%s@internal-db.systemprompt.internal:5432/tenant_%s", login, app))
	member(out, ",\n", "tenant_type", "cloud")
	fmt.Fprintf(out, ",\n      \"external_db_access\": %t", outside)
	member(out, ",\n", "sync_token", "sp_sync_"+random(r, 3))
}

// random is as many times 16 digits.
func random(r *rand.Rand, times int) (digits string) {
	for range times {
		digits += fmt.Sprintf("%016x", r.Uint64())
	}
	return digits
}

// member writes a member whose text needs no escape.
func member(out io.Writer, before, name, text string) {
	fmt.Fprintf(out, "%s      \"%s\": \"%s\"", before, name, text)
}

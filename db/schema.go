package db

import (
	"context"
	"database/sql"
	"errors"
	"sort"
)

// Stray is what stands in a file's schema otherwise than this program makes it: a
// table, index, view or trigger.
type Stray struct {
	// What says which, and what is with it.
	What string
	// Altered tells that it is there, and is defined in other words. That may be
	// harmless: another version of SQLite may have written them.
	Altered bool
}

// Strays returns what is missing, was added or is altered in the file's schema. A
// trigger that somebody added would run with every change; commands refuse it.
func (e *Examination) Strays(ctx context.Context) ([]Stray, error) {
	want, err := newestSchema(ctx)
	if err != nil {
		return nil, err
	}
	have, err := schemaIn(ctx, e.tx)
	if err != nil {
		return nil, err
	}
	var strays []Stray
	for what, text := range want {
		switch found, ok := have[what]; {
		case !ok:
			strays = append(strays, Stray{What: what + " is missing"})
		case found != text:
			strays = append(strays, Stray{What: what + " is altered", Altered: true})
		}
	}
	for what := range have {
		if _, ok := want[what]; !ok {
			strays = append(strays, Stray{What: what + " was added"})
		}
	}
	sort.Slice(strays, func(i, j int) bool { return strays[i].What < strays[j].What })
	return strays, nil
}

// schemaIn returns what the schema of a file defines, by kind and name. What SQLite
// keeps for itself, such as the statistics of ANALYZE, is left out.
func schemaIn(ctx context.Context, tx *sql.Tx) (map[string]string, error) {
	rows, err := tx.QueryContext(ctx, "SELECT type || ' ' || name, COALESCE(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
	all, err := collect(rows, err, func() (entry [2]string, err error) {
		return entry, rows.Scan(&entry[0], &entry[1])
	})
	schema := map[string]string{}
	for _, entry := range all {
		schema[entry[0]] = entry[1]
	}
	return schema, err
}

// newestSchema is what the migrations make of a new file, made in memory.
func newestSchema(ctx context.Context) (schema map[string]string, err error) {
	conn, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	conn.SetMaxOpenConns(1) // each connection would have a memory of its own
	if err := migrateOn(ctx, conn); err != nil {
		return nil, err
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // it was only read
	return schemaIn(ctx, tx)
}

package db

import (
	"context"
	"fmt"

	"github.com/pressly/goose/v3/database"
)

// versions is goose's record of the migrations that a file has: user_version, which
// SQLite changes in the migration's own transaction. A table of its own would be a
// second truth beside it, which every open would have to parse.
type versions struct{}

// Tablename is what goose calls the record.
func (versions) Tablename() string { return "user_version" }

// TableExists tells of a file whether it is a registry, as old as may be.
func (versions) TableExists(ctx context.Context, db database.DBTxConn) (bool, error) {
	application, err := headerValue(ctx, db, "application_id")
	return application == applicationID, err
}

// CreateVersionTable marks a new file as a registry.
func (versions) CreateVersionTable(ctx context.Context, db database.DBTxConn) error {
	return setHeader(ctx, db, "application_id", applicationID)
}

// Insert notes that a migration was made, unless it left rows that refer to nothing.
func (versions) Insert(ctx context.Context, db database.DBTxConn, done database.InsertRequest) error {
	if err := checkReferences(ctx, db); err != nil {
		return err
	}
	return setHeader(ctx, db, "user_version", done.Version)
}

// Delete notes that a migration was taken back.
func (versions) Delete(ctx context.Context, db database.DBTxConn, version int64) error {
	return setHeader(ctx, db, "user_version", version-1)
}

// GetMigration tells whether a migration was made.
func (v versions) GetMigration(ctx context.Context, db database.DBTxConn, version int64) (*database.GetMigrationResult, error) {
	latest, err := v.GetLatestVersion(ctx, db)
	if err == nil && version > latest {
		err = database.ErrVersionNotFound
	}
	return &database.GetMigrationResult{IsApplied: true}, err
}

// GetLatestVersion returns the newest migration that was made.
func (versions) GetLatestVersion(ctx context.Context, db database.DBTxConn) (int64, error) {
	return headerValue(ctx, db, "user_version")
}

// ListMigrations lists the migrations that were made, the newest first.
func (v versions) ListMigrations(ctx context.Context, db database.DBTxConn) ([]*database.ListMigrationsResult, error) {
	latest, err := v.GetLatestVersion(ctx, db)
	var made []*database.ListMigrationsResult
	for version := latest; version >= 0; version-- {
		made = append(made, &database.ListMigrationsResult{Version: version, IsApplied: true})
	}
	return made, err
}

// setHeader sets one of the numbers that SQLite keeps for a program in a file's header.
func setHeader(ctx context.Context, db database.DBTxConn, name string, value int64) error {
	_, err := db.ExecContext(ctx, fmt.Sprintf("PRAGMA %s = %d", name, value))
	return err
}

// headerValue reads one of them.
func headerValue(ctx context.Context, db rower, name string) (value int64, err error) {
	err = db.QueryRowContext(ctx, "PRAGMA "+name).Scan(&value)
	return value, err
}

var _ database.StoreExtender = versions{}

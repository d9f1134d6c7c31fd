package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// crashIn changes every tenant of the registry at path and dies by SIGKILL before it
// commits, when what it changed is in the file and what was there is in the journal.
func crashIn(path string) {
	ctx := context.Background()
	file, err := sql.Open("sqlite", path)
	if err != nil {
		panic(err)
	}
	file.SetMaxOpenConns(1)
	for _, statement := range []string{
		"PRAGMA cache_size = 1", // pages are written before the commit
		"BEGIN IMMEDIATE",
		"UPDATE tenants SET name = 'half done', region = hex(randomblob(9000))",
		"UPDATE registry_meta SET revision = revision + 1000",
		"SELECT COUNT(*) FROM tenants",
	} {
		if _, err := file.ExecContext(ctx, statement); err != nil {
			panic(err)
		}
	}
	fmt.Println("dies")
	_ = unix.Kill(os.Getpid(), unix.SIGKILL)
	select {}
}

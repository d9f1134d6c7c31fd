package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// crashIn changes every tenant of the registry at path and dies by SIGKILL before it
// commits. Of some hundred tenants, part of what it changed is in the file by then,
// and what was there is in the journal.
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
		"UPDATE registry_meta SET revision = revision + 1", // as every change of sp begins
		"UPDATE tenants SET name = 'half done ' || id, region = hex(randomblob(1000))",
	} {
		if _, err := file.ExecContext(ctx, statement); err != nil {
			panic(err)
		}
	}
	fmt.Println("dies")
	_ = unix.Kill(os.Getpid(), unix.SIGKILL)
	select {}
}

// Command writer changes one tenant of a registry again and again, one transaction and
// its syncs after the other, until its stdin ends:
//
//	writer SP.DB TENANT-ID → a line after the first change, and the number of changes
//
// It is what a busy `sp` would be that never pauses between two commands.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "writer:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: writer SP.DB TENANT-ID")
	}
	if err := db.Harden(); err != nil {
		return err
	}
	ctx := context.Background()
	reg, err := registry.Open(ctx, args[0], registry.Options{
		Now: time.Now, Wait: 10 * time.Second, Command: "writer", Holder: fmt.Sprintf("pid %d (writer)", os.Getpid()),
	})
	if err != nil {
		return err
	}
	var ended atomic.Bool
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // whatever ends it, it has ended
		ended.Store(true)
	}()
	changes := 0
	for !ended.Load() {
		region := secret.New(fmt.Sprint("region-", changes%2))
		edit := registry.TenantEdit{ID: registry.TenantID(args[1]), Set: map[string]*secret.Secret{"region": &region}}
		if _, _, err := reg.UpdateTenant(ctx, edit); err != nil {
			return err
		}
		if changes++; changes == 1 {
			fmt.Println("writing")
		}
	}
	fmt.Println(changes)
	return reg.Close()
}

package cloud

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/secret"
)

// InTurn runs fn while no other process runs one for the same subject in a directory. It waits as long as
// that takes, and says so by waiting, once. A process that is killed leaves nothing but an empty file, which
// the next one uses and removes:
//
//	.cloud-b94d27b9934d3e08.lock
func InTurn(ctx context.Context, dir, subject string, waiting func(), fn func() error) error {
	path := filepath.Join(dir, ".cloud-"+secret.Hash(subject)[:16]+".lock")
	lock, err := lockAt(ctx, path, waiting)
	if err != nil {
		return err
	}
	defer func() {
		_ = os.Remove(path) // while it is locked: who waits for it sees then that it is not at its place
		_ = place.Unlock(lock)
	}()
	return fn()
}

// lockPause is how often one looks whether a lock is free.
const lockPause = 20 * time.Millisecond

// lockAt takes the lock of the file at a path, once nobody else has it.
func lockAt(ctx context.Context, path string, waiting func()) (*os.File, error) {
	for {
		file, err := place.OpenMark(path)
		if err != nil {
			return nil, err
		}
		free := place.TryLock(file)
		if free && place.IsAt(file, path) {
			return file, nil
		}
		_ = place.Unlock(file) // nothing was written
		if !free && waiting != nil {
			waiting()
			waiting = nil
		}
		if err := sleep(ctx, lockPause); err != nil {
			return nil, err
		}
	}
}

package workspace

import (
	"context"
	"errors"
	"io/fs"

	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/registry"
)

// BackupSuffix ends the name of a backup that is being written.
const BackupSuffix = ".backup.tmp"

// copySuffix ends that of a copy.
const copySuffix = ".tmp"

// SweepBackups removes what killed backups left outside dir, the registry's directory.
func SweepBackups(dir string) error {
	notes, err := place.Outsides(nil, dir)
	for _, o := range notes {
		if o.Suffix == copySuffix {
			o.Release()
		} else {
			o.Sweep(leftOfBackup(o))
		}
	}
	return err
}

// leftOfBackup is a backup that was being written, and what SQLite may have beside it.
func leftOfBackup(o *place.Outside) []string {
	if o.Suffix != BackupSuffix {
		return nil
	}
	return []string{o.Temporary + "-journal", o.Temporary}
}

// SweepOutside returns a publication that writes nothing and removes what killed commands left
// outside dir, the registry's directory. A copy that such a command did not get to replace then
// counts as what sp wrote there last. What can't be removed keeps its note, so that sp doctor can
// report it.
func SweepOutside(ctx context.Context, names place.Names, dir string, view *registry.View) (Publication, error) {
	notes, err := place.Outsides(names, dir)
	if err != nil {
		return Publication{}, err
	}
	var files []registry.File
	var sweeps []func()
	var told error
	for _, o := range notes {
		left := leftOfBackup(o)
		if o.Suffix == copySuffix {
			var row *registry.File
			var kept error
			if row, left, kept, err = findCopy(ctx, view, o); err != nil {
				sweeps = append(sweeps, o.Release)
				continue
			}
			if row != nil {
				files = append(files, *row)
			}
			told = errors.Join(told, kept)
		}
		sweeps = append(sweeps, func() { o.Sweep(left) })
	}
	return Publication{
		Files: files,
		Place: func() error {
			for _, sweep := range sweeps {
				sweep()
			}
			return told
		},
		Discard: func() error {
			for _, o := range notes {
				o.Release()
			}
			return nil
		},
	}, nil
}

// findCopy finds what a killed command left of a copy, and what is to be remembered of
// that if it changes; kept says what of it is another program's.
func findCopy(ctx context.Context, view *registry.View, o *place.Outside) (row *registry.File, left []string, kept, err error) {
	if row, err = view.File(ctx, o.Path); err != nil {
		return nil, nil, nil, err
	}
	left, kept, err = o.Recover(hashesOf(row)...)
	if errors.Is(err, fs.ErrNotExist) { // its directory is gone
		return nil, nil, nil, nil
	}
	if err != nil || row == nil {
		return nil, left, kept, err
	}
	there, err := place.Look(o.Path)
	if err != nil || !there.IsThere() || there.Hash == row.Current || there.Hash != row.Previous {
		return nil, left, kept, err
	}
	row.Previous, row.Current = row.Current, row.Previous
	return row, left, kept, nil
}

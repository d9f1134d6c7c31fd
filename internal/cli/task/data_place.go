package task

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/project"
)

// errNoPlace is returned where there is nowhere to keep a server's data.
var errNoPlace = errors.New("no place for the data of a server")

// DataPlace returns the directory for the data of all servers, which may not exist yet.
func (t *Task) DataPlace() (string, error) { return t.dataPlaceOf(os.Geteuid()) }

func (t *Task) dataPlaceOf(user int) (string, error) {
	named := func(name string) string {
		if value := t.Env(name); value != nil {
			return *value
		}
		return ""
	}
	path, from := named("SP_DATA_DIR"), "SP_DATA_DIR"
	if path == "" {
		if path, from = named("XDG_DATA_HOME"), "XDG_DATA_HOME"; path != "" {
			path += "/sp"
		}
	}
	if path == "" && user == 0 {
		path = postgres.RootBase
	}
	if path == "" {
		if path, from = named("HOME"), "HOME"; path != "" {
			path += "/.local/share/sp"
		}
	}
	switch {
	case path == "":
		return "", fmt.Errorf("%w: SP_DATA_DIR, XDG_DATA_HOME and HOME are not set", errNoPlace)
	case !filepath.IsAbs(path):
		return "", fmt.Errorf("%w: %s is not an absolute path", errNoPlace, from)
	}
	return filepath.Join(path, "postgres"), nil
}

// placeForData makes that place. sp makes nobody's home.
func (t *Task) placeForData(dir project.Dir) (string, error) {
	base, err := t.DataPlace()
	if err != nil {
		return "", err
	}
	if home := t.Env("HOME"); home != nil && *home != "" && isBelow(base, *home) {
		if _, err := os.Stat(*home); err != nil {
			return "", fmt.Errorf("%w: HOME: %w", errNoPlace, err)
		}
	}
	if err := postgres.MakeBase(base); err != nil {
		return "", fmt.Errorf("%w: %w", errNoPlace, err)
	}
	if err := t.CheckAbove(filepath.Join(base, "ID")); err != nil {
		return "", err
	}
	if isLayer(base) && !isLayer(dir.Path()) {
		t.Note("warning: %s is a layer of this container and goes with it; SP_DATA_DIR names another place for the data", base)
	}
	return base, nil
}

func isBelow(path, dir string) bool {
	below, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(below)
}

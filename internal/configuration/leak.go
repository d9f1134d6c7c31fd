package configuration

import (
	"bytes"
	"fmt"

	"github.com/sp-registry/sp/internal/archive"
	"github.com/sp-registry/sp/internal/secret"
)

// Secret is a secret that the registry knows, by what people call it.
type Secret struct {
	Name  string
	Value secret.Secret
}

// shortest is how long a secret has to be to be known again: a shorter one is in many texts by chance.
const shortest = 12

// refuseSecrets refuses files that hold a secret of the tenant's.
func (s *Sync) refuseSecrets(files []archive.File) error {
	for _, known := range s.Secrets {
		value := []byte(known.Value.Reveal())
		if len(value) < shortest {
			continue
		}
		for _, f := range files {
			if bytes.Contains(f.Text, value) {
				return fmt.Errorf("%s: it holds %s: %w", f.Path, known.Name, archive.ErrRefused)
			}
		}
	}
	return nil
}

package doctor

import (
	"context"
	"errors"
	"os"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/registry"
)

// checkCopies lists the automatic copies: they hold what the registry held.
func (c *Checkup) checkCopies(context.Context) []Diagnosis {
	copies, err := db.Copies(c.dir.Registry())
	var findings []Diagnosis
	for _, copied := range copies {
		ago := howLong(c.Now().Sub(copied.Made))
		if copied.Expired(c.Now()) {
			f := warn("%s: its time is over, it was made %s ago", copied.Path, ago).remedy("the next change removes it")
			if c.have >= needRegistry {
				f = f.mendable(c.catchUp(false), "%s: removed, its time was over", copied.Path)
			}
			findings = append(findings, f)
			continue
		}
		findings = append(findings, inform("%s: made %s ago, before a %s", copied.Path, ago, copied.Why).remedy("%s removes it", to("sp log purge")))
	}
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return c.troubled(orFine(findings, "there are none"), err)
}

// checkKeptSecrets tells what could still be read of secrets that changes removed.
func (c *Checkup) checkKeptSecrets(ctx context.Context) []Diagnosis {
	var kept registry.Kept
	err := c.read(ctx, func(view *registry.View) (err error) {
		kept, err = view.KeptSecrets(ctx)
		return err
	})
	secrets, until := counted(kept.Secrets, "removed secret"), registry.FormatTime(kept.Until)
	switch {
	case err != nil:
		return []Diagnosis{c.trouble(err)}
	case kept.Secrets == 0:
		return []Diagnosis{fine("no removed secret is kept")}
	case !kept.Until.After(c.Now()):
		return []Diagnosis{warn("%s kept, whose time was over at %s", secrets, until).remedy("the next change forgets them").
			mendable(c.catchUp(false), "%s forgotten, whose time was over at %s", secrets, until)}
	}
	return []Diagnosis{inform("%s kept for sp undo, until %s", secrets, until).remedy("%s forgets them", to("sp log purge"))}
}

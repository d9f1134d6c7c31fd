package resolver

import (
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/registry"
)

// maxCandidates bounds the profiles that a message lists.
const maxCandidates = 10

// byDefault asks the default: what holds when nobody chose anything.
func (q *query) byDefault(ctx context.Context, f *Finding) error {
	selection, err := q.selection(ctx)
	if err != nil {
		return err
	}
	if selection.Deleted {
		f.Why, f.Reason = "the selected tenant was deleted", WasDeleted
		return nil
	}
	f.Holds, err = q.reader.DefaultProfile(ctx)
	if err != nil {
		return err
	}
	f.Why, f.Reason = "no default profile is set", NoDefault
	if f.Holds != nil {
		p, err := q.profile(ctx, f, *f.Holds)
		if err != nil {
			return err
		}
		if selection.Tenant == nil || *selection.Tenant == p.Tenant {
			f.Why, f.Reason = "the registry's default profile", ByChoice
			return q.settle(ctx, f, p)
		}
		f.Why, f.Reason = fmt.Sprintf("profile %q does not belong to the selected tenant %q", p.Name, *selection.Tenant), OtherTenants
	}
	return q.only(ctx, f, selection)
}

// only takes the profile that is the only one in view.
func (q *query) only(ctx context.Context, f *Finding, selection Selection) error {
	profiles, err := q.profilesInView(ctx, selection)
	if err != nil {
		return err
	}
	if len(profiles) != 1 {
		f.Why += listed(firstNames(profiles))
		return nil
	}
	f.Why, f.Reason = f.Why+fmt.Sprintf("; the only candidate is %q", profiles[0].Name), OnlyProfile
	return q.settle(ctx, f, profiles[0])
}

// profilesInView reads, once, the profiles of the selected tenant, or all when none is
// selected: as many as a message lists and one, to know whether there are more.
func (q *query) profilesInView(ctx context.Context, selection Selection) ([]registry.Profile, error) {
	if q.inView == nil {
		profiles, err := q.reader.ProfilesOf(ctx, selection.Tenant, maxCandidates+1)
		if err != nil {
			return nil, err
		}
		q.inView = &profiles
	}
	return *q.inView, nil
}

// nothing says that no source names a profile.
func (q *query) nothing(ctx context.Context) (*NothingError, error) {
	selection, err := q.selection(ctx)
	if err != nil {
		return nil, err
	}
	profiles, err := q.profilesInView(ctx, selection)
	if err != nil {
		return nil, err
	}
	names, more := firstNames(profiles)
	return &NothingError{Selection: selection, Candidates: names, More: more}, nil
}

func firstNames(profiles []registry.Profile) (names []string, more bool) {
	for _, p := range profiles[:min(len(profiles), maxCandidates)] {
		names = append(names, p.Name)
	}
	return names, len(profiles) > maxCandidates
}

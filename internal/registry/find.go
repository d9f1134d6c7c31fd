package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sp-registry/sp/db/queries"
)

// maxCandidates bounds how many tenants an ambiguous word names.
const maxCandidates = 10

// AmbiguousError is returned for a word that means more than one thing.
type AmbiguousError struct {
	Word string
	// Candidates are what it may mean, the first of many.
	Candidates []Candidate
}

// Candidate is a thing that a word may mean.
type Candidate struct {
	Word string // that means it and nothing else; empty where there is none
	Text string // what people are told
}

func (e *AmbiguousError) Error() string {
	var texts []string
	for _, c := range e.Candidates {
		texts = append(texts, c.Text)
	}
	return fmt.Sprintf("%s: %s: it may mean %s", shown(e.Word), ErrAmbiguous, strings.Join(texts, ", or "))
}

// Words are those that mean one candidate each.
func (e *AmbiguousError) Words() (words []string) {
	for _, c := range e.Candidates {
		if c.Word != "" {
			words = append(words, c.Word)
		}
	}
	return words
}

// Unwrap returns ErrAmbiguous.
func (e *AmbiguousError) Unwrap() error { return ErrAmbiguous }

// OnlyID before a word says that it is an id and nothing else.
const OnlyID = "id:"

// FindTenant returns the tenant that a word means: the one with that id, else the only
// one with that name, else the only one whose id begins with it. The dots behind an id
// that a list has cut may be there. Two that match in one of these steps are ambiguous.
func (v *View) FindTenant(ctx context.Context, word string) (Tenant, error) {
	t, err := v.ExactTenant(ctx, word)
	if !errors.Is(err, ErrNotFound) || strings.HasPrefix(word, OnlyID) {
		return t, err
	}
	start := strings.TrimSuffix(strings.TrimSuffix(word, "…"), "...")
	if start == "" {
		return Tenant{}, err
	}
	// Ids that begin with it lie together, in the order of bytes, from there on.
	ids, problem := v.q.TenantIDsFrom(ctx, queries.TenantIDsFromParams{Prefix: start, Size: maxCandidates})
	if problem != nil {
		return Tenant{}, problem
	}
	var found []TenantID
	for _, id := range ids {
		if strings.HasPrefix(id, start) {
			found = append(found, TenantID(id))
		}
	}
	if len(found) == 0 {
		return Tenant{}, err
	}
	return v.theOnly(ctx, word, found)
}

// takes returns the first of some words that means a tenant today because its id begins so, and that
// tenant: a new tenant with that id or name would be meant in its place. Nil is none.
func (v *View) takes(ctx context.Context, words ...string) (word string, from *Tenant, err error) {
	for _, word := range words {
		_, err := v.ExactTenant(ctx, word)
		if !errors.Is(err, ErrNotFound) { // one that means two is refused by itself
			continue
		}
		t, err := v.FindTenant(ctx, word)
		switch {
		case err == nil:
			return word, &t, nil
		case !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrAmbiguous):
			return "", nil, err
		}
	}
	return "", nil, nil
}

// ExactTenant returns the tenant whose id a word is, else the only one with that name.
// A word that is one tenant's id and another's name is ambiguous; `id:` before it
// leaves the id.
func (v *View) ExactTenant(ctx context.Context, word string) (Tenant, error) {
	if word == "" {
		return Tenant{}, fmt.Errorf("tenant: empty id: %w", ErrInvalid)
	}
	if id, only := strings.CutPrefix(word, OnlyID); only {
		return v.onlyByID(ctx, word, TenantID(id))
	}
	found, err := v.TenantsNamed(ctx, word, maxCandidates)
	if err != nil {
		return Tenant{}, err
	}
	switch t, err := v.Tenant(ctx, TenantID(word)); {
	case err == nil && !slices.Contains(found, t.ID):
		found = slices.Insert(found, 0, t.ID)
	case err != nil && (len(found) == 0 || !errors.Is(err, ErrNotFound)):
		return Tenant{}, err
	}
	return v.theOnly(ctx, word, found)
}

// onlyByID returns the tenant with an id that a word gives behind id:, unless the whole word is the id of
// an imported one.
func (v *View) onlyByID(ctx context.Context, word string, id TenantID) (Tenant, error) {
	t, err := v.Tenant(ctx, id)
	if errors.Is(err, ErrNotFound) {
		err = &missingError{"tenant", word}
	}
	if err != nil {
		return t, err
	}
	_, other := v.Tenant(ctx, TenantID(word))
	if errors.Is(other, ErrNotFound) {
		return t, nil
	}
	if other != nil {
		return Tenant{}, other
	}
	return v.theOnly(ctx, word, []TenantID{id, TenantID(word)})
}

// theOnly returns the one tenant of what a word matched.
func (v *View) theOnly(ctx context.Context, word string, ids []TenantID) (t Tenant, err error) {
	ambiguous := &AmbiguousError{Word: "tenant " + shown(word)}
	for _, id := range ids {
		if t, err = v.Tenant(ctx, id); err != nil {
			return Tenant{}, err
		}
		ambiguous.Candidates = append(ambiguous.Candidates, candidate(t, word))
	}
	if len(ids) > 1 {
		return Tenant{}, ambiguous
	}
	return t, nil
}

// candidate is a tenant that a word may mean. Its id alone means it, unless that is the very word.
func candidate(t Tenant, word string) Candidate {
	if string(t.ID) == word {
		return Candidate{OnlyID + word, t.String()}
	}
	return Candidate{string(t.ID), t.String()}
}

// FindPastTenant returns the id of the tenant that a word means, as FindTenant does, of a
// deleted one if the word is its whole id.
func (v *View) FindPastTenant(ctx context.Context, word string) (TenantID, error) {
	t, err := v.ExactTenant(ctx, word)
	whole := TenantID(strings.TrimPrefix(word, OnlyID))
	if known := err == nil && t.ID == whole; known || err != nil && !errors.Is(err, ErrNotFound) {
		return t.ID, err
	}
	for c, problem := range v.Changes(ctx, &whole, Page{Limit: 1}) {
		if problem == nil && err == nil {
			problem = &AmbiguousError{Word: "tenant " + shown(word), Candidates: []Candidate{
				candidate(t, word), {OnlyID + string(whole), fmt.Sprintf("%s, deleted in change %d", whole, c.Sequence)},
			}}
		}
		return whole, problem
	}
	if err != nil {
		t, err = v.FindTenant(ctx, word)
	}
	return t.ID, err
}

// AmbiguousIDs returns the ids, a few of them, that are also another tenant's name: only a
// file can have brought them.
func (v *View) AmbiguousIDs(ctx context.Context) ([]TenantID, error) {
	words, err := v.q.WordsOfTwo(ctx, maxCandidates)
	found := make([]TenantID, len(words))
	for i, word := range words {
		found[i] = TenantID(word)
	}
	return found, err
}

// TenantsNamed returns the ids of the first tenants that have a name, in order of entry.
func (v *View) TenantsNamed(ctx context.Context, name string, limit int64) ([]TenantID, error) {
	ids, err := v.q.TenantIDsNamed(ctx, queries.TenantIDsNamedParams{Name: name, Size: limit})
	found := make([]TenantID, len(ids))
	for i, id := range ids {
		found[i] = TenantID(id)
	}
	return found, err
}

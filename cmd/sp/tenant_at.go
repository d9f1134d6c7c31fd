package main

import (
	"context"
	"errors"
	"strconv"

	"github.com/sp-registry/sp/internal/registry"
)

// shownTenant returns the tenant that an argument means, as it is or as it was, and
// then the members whose secret is not kept any more.
func shownTenant(ctx context.Context, view *registry.View, ref, at *string) (registry.Tenant, []string, error) {
	if at == nil {
		t, err := namedTenant(ctx, view, ref)
		return t, nil, err
	}
	sequence, err := sequenceAt(ctx, view, *at)
	if err != nil {
		return registry.Tenant{}, nil, err
	}
	if ref == nil {
		t, err := namedTenant(ctx, view, nil)
		if err != nil {
			return t, nil, err
		}
		return view.TenantAt(ctx, t.ID, sequence)
	}
	id, err := tenantOfHistory(ctx, view, ref)
	if err != nil {
		return registry.Tenant{}, nil, err
	}
	return view.TenantAt(ctx, *id, sequence)
}

// sequenceAt reads --at: a sequence or a time.
func sequenceAt(ctx context.Context, view *registry.View, at string) (int64, error) {
	if sequence, err := strconv.ParseInt(at, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return sequence, view.CheckSequence(ctx, sequence)
	}
	instant, err := registry.ParseTime(at)
	if err != nil {
		return 0, withHint(usage("--at: neither a sequence nor a time"), "sp log prints sequences; a time is written 2026-02-01T10:00:00Z")
	}
	return view.SequenceAt(ctx, instant)
}

// tenantOfHistory returns the id of the tenant, deleted or not, that an argument means.
func tenantOfHistory(ctx context.Context, view *registry.View, word *string) (*registry.TenantID, error) {
	if word == nil {
		return nil, nil
	}
	id, err := view.FindPastTenant(ctx, *word)
	return &id, err
}

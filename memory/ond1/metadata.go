package ond1

import (
	"context"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/memory"
)

// GetMetadata implements [memory.Store].
func (s *Store) GetMetadata(ctx context.Context, resourceID string) (memory.Metadata, error) {
	if err := memory.CheckID("the resource's id", resourceID); err != nil {
		return memory.Metadata{}, err
	}
	return s.oneMetadata(ctx, resourceID, d1.Statement{SQL: s.sql.getResource, Args: []any{resourceID}})
}

func (s *Store) oneMetadata(ctx context.Context, id string, statement d1.Statement) (m memory.Metadata, err error) {
	found := false
	err = s.do(ctx, []d1.Statement{statement}, func(_ int, r *d1.Results) error {
		for r.Next() {
			found = true
			if m, err = readMetadata(r); err != nil {
				return err
			}
		}
		return r.Err()
	})
	switch {
	case err != nil:
		return memory.Metadata{}, err
	case !found:
		return memory.Metadata{}, memory.NotFound("resource", id)
	}
	return m, nil
}

// SaveMetadata implements [memory.Store].
func (s *Store) SaveMetadata(ctx context.Context, m memory.Metadata) (memory.Metadata, error) {
	m, err := m.Check(s.cfg.Now())
	if err != nil {
		return memory.Metadata{}, err
	}
	metadata, err := objectText(m.Metadata)
	if err != nil {
		return memory.Metadata{}, err
	}
	text, _ := metadata.(string)
	if err := checkRow("what is remembered of the resource", len(m.ResourceID)+len(m.WorkingMemory)+len(text), ""); err != nil {
		return memory.Metadata{}, err
	}
	err = s.do(ctx, []d1.Statement{{SQL: s.sql.saveResource, Args: []any{m.ResourceID, m.WorkingMemory, metadata,
		timeText(m.CreatedAt), timeText(m.UpdatedAt)}}}, nil)
	if err != nil {
		return memory.Metadata{}, err
	}
	return m, nil
}

// UpdateMetadata implements [memory.Store]. It is one statement, so that concurrent merges
// lose nothing.
func (s *Store) UpdateMetadata(ctx context.Context, resourceID string, u memory.MetadataUpdate) (memory.Metadata, error) {
	if err := u.Check(resourceID); err != nil {
		return memory.Metadata{}, err
	}
	var working any
	size := len(resourceID)
	if u.WorkingMemory != nil {
		working = *u.WorkingMemory
		size += len(*u.WorkingMemory)
	}
	patch, err := objectPatch(u.Metadata)
	if err != nil {
		return memory.Metadata{}, err
	}
	if err := checkRow("what is remembered of the resource", size+len(patch), ""); err != nil {
		return memory.Metadata{}, err
	}
	return s.oneMetadata(ctx, resourceID, d1.Statement{SQL: s.sql.updateResource, Args: []any{resourceID, working, patch, s.now()}})
}

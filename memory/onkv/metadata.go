package onkv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/memory"
)

func decodeMetadata(value []byte) (m memory.Metadata, err error) {
	if err = json.Unmarshal(value, &m); err != nil {
		err = fmt.Errorf("memory: the value of what is remembered of a resource: %w", err)
	}
	return m, err
}

// record is a memory.Metadata that tells no metadata from empty metadata.
type record struct {
	memory.Metadata
	Values *memory.Object `json:"metadata"`
}

func encodeMetadata(m memory.Metadata) ([]byte, error) {
	r := record{Metadata: m}
	if m.Metadata != nil {
		r.Values = &m.Metadata
	}
	return memory.EncodeJSON(r)
}

// GetMetadata implements [memory.Store].
func (s *Store) GetMetadata(ctx context.Context, resourceID string) (memory.Metadata, error) {
	if err := memory.CheckID("the resource's id", resourceID); err != nil {
		return memory.Metadata{}, err
	}
	value, err := s.Metadata.Get(ctx, s.metadataKey(resourceID))
	if errors.Is(err, kv.ErrNotFound) {
		return memory.Metadata{}, memory.NotFound("resource", resourceID)
	}
	if err != nil {
		return memory.Metadata{}, err
	}
	return decodeMetadata(value)
}

// SaveMetadata implements [memory.Store].
func (s *Store) SaveMetadata(ctx context.Context, m memory.Metadata) (memory.Metadata, error) {
	m, err := m.Check(s.now())
	if err != nil {
		return memory.Metadata{}, err
	}
	value, err := encodeMetadata(m)
	if err != nil {
		return memory.Metadata{}, err
	}
	if err := s.Metadata.Put(ctx, s.metadataKey(m.ResourceID), value, kv.PutOptions{}); err != nil {
		return memory.Metadata{}, err
	}
	return m, nil
}

// UpdateMetadata implements [memory.Store].
func (s *Store) UpdateMetadata(ctx context.Context, resourceID string, u memory.MetadataUpdate) (memory.Metadata, error) {
	if err := u.Check(resourceID); err != nil {
		return memory.Metadata{}, err
	}
	var changed memory.Metadata
	err := update(ctx, s.Metadata, s.metadataKey(resourceID), func(old []byte) ([]byte, error) {
		now := s.now().UTC().Truncate(time.Millisecond)
		m := memory.Metadata{ResourceID: resourceID, CreatedAt: now, UpdatedAt: now, Metadata: memory.Object{}}
		if old != nil {
			var err error
			if m, err = decodeMetadata(old); err != nil {
				return nil, err
			}
			m.UpdatedAt = s.later(m.UpdatedAt)
		}
		if u.WorkingMemory != nil {
			m.WorkingMemory = *u.WorkingMemory
		}
		m.Metadata = merged(m.Metadata, u.Metadata)
		value, err := encodeMetadata(m)
		if err != nil {
			return nil, err
		}
		changed, err = decodeMetadata(value)
		return value, err
	})
	return changed, err
}

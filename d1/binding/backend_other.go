//go:build !js

package binding

import (
	"fmt"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/edge"
)

// Open returns the database that a Worker has under a name. Outside a Worker it returns
// an error.
func Open(name string) (d1.Backend, error) {
	return nil, fmt.Errorf("d1: binding %s: %w", name, edge.ErrOutside)
}

//go:build !js

package binding

import (
	"fmt"

	"github.com/skylite-go/skylite/internal/edge"
	"github.com/skylite-go/skylite/kv"
)

// Open returns the namespace that a Worker has under a name. Outside a Worker it returns
// an error.
func Open(name string) (kv.Namespace, error) {
	return nil, fmt.Errorf("kv: binding %s: %w", name, edge.ErrOutside)
}

package d1sql_test

import (
	"testing"

	"github.com/skylite-go/skylite/d1/d1test"
)

func TestSerializable(t *testing.T) {
	t.Parallel()
	d1test.Serializable(t, open(t), 200)
}

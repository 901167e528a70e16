package d1sql

import (
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

func expand(s sqltext.Statement, args []any) ([]d1.Statement, bool) { return nil, false }

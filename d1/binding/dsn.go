package binding

import (
	"errors"
	"strings"

	"github.com/skylite-go/skylite/d1"
)

func init() {
	d1.Register("binding", func(dsn string) (d1.Backend, error) {
		name := strings.TrimPrefix(dsn, "binding:")
		if name == "" || strings.ContainsAny(name, "/?# ") {
			return nil, errors.New("d1: the data source name is not of the form binding:NAME, as in binding:DB")
		}
		return Open(name)
	})
}

package binding

import (
	"errors"
	"strings"

	"github.com/skylite-go/skylite/kv"
)

func init() {
	kv.Register("binding", func(dsn string) (kv.Namespace, error) {
		name := strings.TrimPrefix(dsn, "binding:")
		if name == "" || strings.ContainsAny(name, "/?# ") {
			return nil, errors.New("kv: the data source name is not of the form binding:NAME, as in binding:KV")
		}
		return Open(name)
	})
}

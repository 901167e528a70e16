package embedded

import (
	"errors"

	"github.com/ncruces/go-sqlite3"
)

// replaceParts makes up for what this engine has and D1's has not, or the other way
// round.
func (c *conn) replaceParts() error {
	for args := 1; args <= 2; args++ {
		if err := c.CreateFunction("load_extension", args, sqlite3.DIRECTONLY, refuseExtension); err != nil {
			return err
		}
	}
	for _, name := range []string{"decimal", "uint"} {
		if err := c.CreateCollation(name, nil); err != nil {
			return err
		}
	}
	return nil
}

// refuseExtension stands for load_extension(), which D1 has but does not allow.
func refuseExtension(ctx sqlite3.Context, _ ...sqlite3.Value) {
	ctx.ResultError(errors.New("not authorized"))
}

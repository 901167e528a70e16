package embedded

import "context"

// OpenWithLockWait is Open, with a time to wait for other processes that suits a test.
var OpenWithLockWait = openDB

// ForgetHistory makes the writer read the end of the history anew.
func ForgetHistory(db *DB) {
	_ = db.travel(context.Background(), func(_ *conn, r *recorder) error {
		r.valid = false
		return r.log.Forget()
	})
}

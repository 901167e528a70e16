package rest

// Waiting returns how many requests wait for others.
func (db *DB) Waiting() (n int) {
	for i := range db.lanes {
		for j := range db.lanes[i] {
			l := &db.lanes[i][j]
			l.mu.Lock()
			n += len(l.waiting)
			l.mu.Unlock()
		}
	}
	return n
}

// MaxSharedAnswer is maxSharedAnswer.
const MaxSharedAnswer = maxSharedAnswer

package embedded

// cachedStmts is how many compiled statements a connection keeps.
const cachedStmts = 128

// stmtCache keeps compiled statements, least recently used first out.
type stmtCache struct {
	bySQL map[string]*stmt
	ring  stmt // ring.next was used last
}

func (s *stmtCache) get(sql string) *stmt {
	found := s.bySQL[sql]
	if found != nil && s.ring.next != found {
		found.unlink()
		s.link(found)
	}
	return found
}

func (s *stmtCache) put(added *stmt) {
	if s.bySQL == nil {
		s.bySQL = make(map[string]*stmt, cachedStmts)
		s.ring.prev, s.ring.next = &s.ring, &s.ring
	}
	if len(s.bySQL) >= cachedStmts {
		s.drop(s.ring.prev)
	}
	s.bySQL[added.sql] = added
	s.link(added)
}

func (s *stmtCache) link(e *stmt) {
	e.prev, e.next = &s.ring, s.ring.next
	e.prev.next, e.next.prev = e, e
}

// cached reports whether the statement is in its connection's cache.
func (e *stmt) cached() bool { return e.next != nil }

func (e *stmt) unlink() { e.prev.next, e.next.prev = e.next, e.prev }

func (s *stmtCache) drop(e *stmt) {
	e.unlink()
	delete(s.bySQL, e.sql)
	e.Close()
}

// clear forgets everything, because the schema has changed and with it, perhaps,
// what the statements do.
func (s *stmtCache) clear() {
	for _, e := range s.bySQL {
		s.drop(e)
	}
}

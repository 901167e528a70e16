package server

// What clients ask before they come to the point. The answers are always the same: one
// user, one account.

const localName = "Skylite"

type accountResult struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
}

func (s *Server) accountResult(id string) accountResult {
	return accountResult{ID: id, Name: localName, Type: "standard"}
}

func (s *Server) user(c *call) *apiError {
	writeResult(c.w, map[string]any{"id": s.account(), "email": "local@skylite.invalid"}, nil)
	return nil
}

func (s *Server) verifyToken(c *call) *apiError {
	body := appendJSON([]byte(`{"result":`), struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	}{s.account(), "active"})
	body = append(body, `,"success":true,"errors":[],"messages":`...)
	// The code that this message has on the real service.
	body = appendJSON(body, []message{{Code: 10000, Message: "This API Token is valid and active"}})
	writeBody(c.w, 200, append(body, '}'))
	return nil
}

// onlyPage answers a list that has one element, which is on its first page.
func onlyPage(c *call, element any) *apiError {
	paging, apiErr := pagingOf(c.URL.Query(), 20, 1, 1000)
	if apiErr != nil {
		return apiErr
	}
	of := &info{Page: paging.page, PerPage: paging.perPage, TotalCount: 1}
	result := []any{}
	if paging.page == 1 {
		result = append(result, element)
		of.Count = 1
	}
	writeResult(c.w, result, of)
	return nil
}

func (s *Server) accounts(c *call) *apiError {
	return onlyPage(c, s.accountResult(s.account()))
}

func (s *Server) oneAccount(c *call) *apiError {
	writeResult(c.w, s.accountResult(c.account), nil)
	return nil
}

func (s *Server) memberships(c *call) *apiError {
	return onlyPage(c, struct {
		ID      string        `json:"id"`
		Status  string        `json:"status"`
		Roles   []string      `json:"roles"`
		Account accountResult `json:"account"`
	}{"local", "accepted", []string{"Super Administrator - All Privileges"}, s.accountResult(s.account())})
}

package server

import (
	"encoding/json"
	"math"
	"net/url"
	"strconv"
)

func rawJSON(data []byte) json.RawMessage { return data }

// paging is which part of a list is wanted.
type paging struct{ page, perPage int64 }

// offset returns how many elements come before the page.
func (p paging) offset() int64 {
	if p.page-1 > math.MaxInt64/p.perPage {
		return math.MaxInt64
	}
	return (p.page - 1) * p.perPage
}

// pagingOf reads page and per_page. A per_page out of range is brought into it, as
// clients ask for more than there may be to say "all".
func pagingOf(query url.Values, perPage, smallest, largest int64) (paging, *apiError) {
	page, apiErr := wholeNumber(query, "page", 1)
	if apiErr != nil {
		return paging{}, apiErr
	}
	if page < 1 {
		return paging{}, invalidProperty("page", "Number must be greater than or equal to 1")
	}
	perPage, apiErr = wholeNumber(query, "per_page", perPage)
	return paging{page: page, perPage: min(max(perPage, smallest), largest)}, apiErr
}

func wholeNumber(query url.Values, name string, fallback int64) (int64, *apiError) {
	text := query.Get(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, invalidProperty(name, "Expected number, received nan")
	}
	return n, nil
}

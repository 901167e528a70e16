package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// rowJSON is a row as an object: integers exact, and blobs as arrays, as in D1's answers.
func rowJSON(columns []string, values []any) json.RawMessage {
	if values == nil {
		return json.RawMessage("null")
	}
	members := make([]string, len(values))
	for i, v := range values {
		members[i] = valueJSON(columns[i]) + ":" + valueJSON(v)
	}
	return json.RawMessage("{" + strings.Join(members, ",") + "}")
}

func valueJSON(v any) string {
	switch v := v.(type) {
	case []byte:
		numbers := make([]int, len(v))
		for i, c := range v {
			numbers[i] = int(c)
		}
		text, _ := json.Marshal(numbers)
		return string(text)
	case float64:
		if math.IsInf(v, 0) {
			return strconv.Quote(strconv.FormatFloat(v, 'g', -1, 64))
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(text)
}

// shownBytes is how much of a value is shown to people.
const shownBytes = 60

// valueText is a value as SQL, cut if it is long.
func valueText(v any) string {
	cut := func(text string, n int) string {
		if len(text) <= n {
			return text
		}
		return strings.ToValidUTF8(text[:n], "") + "…"
	}
	switch v := v.(type) {
	case nil:
		return "NULL"
	case string:
		return strings.ReplaceAll(sqltext.QuoteString(cut(v, shownBytes)), "\n", `\n`)
	case []byte:
		return "x'" + cut(fmt.Sprintf("%x", v), shownBytes) + "'"
	case float64:
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(text, ".eI") {
			text += ".0"
		}
		return text
	}
	return fmt.Sprint(v)
}

// print writes the report for people.
func (r *diffReport) print(w io.Writer) {
	for _, o := range r.Schema {
		sign := changeSign(o.Before != nil, o.After != nil)
		fmt.Fprintf(w, "%s %s %s\n", sign, o.Type, o.Name)
		for _, side := range []struct {
			sign string
			sql  *string
		}{{"-", o.Before}, {"+", o.After}} {
			if side.sql != nil {
				fmt.Fprintf(w, "    %s %s\n", side.sign, strings.ReplaceAll(*side.sql, "\n", "\n      "))
			}
		}
	}
	for _, t := range r.Tables {
		fmt.Fprintf(w, "rows of %s: %d added, %d removed, %d changed\n", t.Name, t.Added, t.Removed, t.Changed)
		for _, row := range t.Rows {
			fmt.Fprintf(w, "  %s %s\n", changeSign(row.row.Before != nil, row.row.After != nil), row.text(t.Key))
		}
		if left := t.Added + t.Removed + t.Changed - int64(len(t.Rows)); left > 0 && len(t.Rows) > 0 {
			fmt.Fprintf(w, "  … and %d more; --limit shows more\n", left)
		}
	}
	if r.Equal {
		fmt.Fprintln(w, "The databases are equal.")
	}
}

func changeSign(before, after bool) string {
	switch {
	case before && after:
		return "~"
	case before:
		return "-"
	}
	return "+"
}

// text is a row's values; of one that has changed, the key and what is new.
func (r *diffRow) text(key []string) string {
	var parts []string
	for i, name := range r.columns {
		switch {
		case r.row.Before == nil && r.row.After == nil:
			return "a row that has no name"
		case r.row.Before == nil:
			parts = append(parts, name+"="+valueText(r.row.After[i]))
		case r.row.After == nil:
			parts = append(parts, name+"="+valueText(r.row.Before[i]))
		case containsFold(key, name):
			parts = append(parts, name+"="+valueText(r.row.Before[i]))
		case !reflect.DeepEqual(r.row.Before[i], r.row.After[i]):
			parts = append(parts, name+": "+valueText(r.row.Before[i])+" → "+valueText(r.row.After[i]))
		}
	}
	return strings.Join(parts, ", ")
}

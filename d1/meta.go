package d1

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// Meta is what D1 reports of one statement. See
// developers.cloudflare.com/d1/worker-api/return-object.
type Meta struct {
	// ServedBy names the version of D1 that answered, such as "v3-prod".
	ServedBy string
	// ServedByRegion is the region that answered, such as "WEUR"; empty where
	// the place does not say.
	ServedByRegion string
	// ServedByColo is the IATA code of the data centre that answered, or empty.
	ServedByColo string
	// ServedByPrimary says that the primary answered and not a read replica.
	ServedByPrimary bool
	// Duration is the time that the SQL took to run, without the network.
	Duration time.Duration
	// Changes is the number of rows inserted, updated and deleted, by triggers
	// and foreign key actions too.
	Changes int64
	// LastRowID is the rowid of the last row inserted over the connection that
	// ran the statement. It keeps its value after statements that insert nothing.
	LastRowID int64
	// ChangedDB says that the statement changed the database.
	ChangedDB bool
	// SizeAfter is the size of the database in bytes, after the statement.
	SizeAfter int64
	// RowsRead is the number of rows scanned, indexes included. D1 bills by it.
	RowsRead int64
	// RowsWritten is the number of rows written, indexes included. D1 bills by it.
	RowsWritten int64
	// TotalAttempts is how often D1 tried the statement, at least 1.
	TotalAttempts int
}

// metaJSON is Meta as D1 writes it, keys in D1's order.
type metaJSON struct {
	ServedBy        string `json:"served_by,omitempty"`
	ServedByRegion  string `json:"served_by_region,omitempty"`
	ServedByColo    string `json:"served_by_colo,omitempty"`
	ServedByPrimary bool   `json:"served_by_primary"`
	Timings         struct {
		SQLDurationMS float64 `json:"sql_duration_ms"`
	} `json:"timings"`
	Duration      float64 `json:"duration"`
	Changes       int64   `json:"changes"`
	LastRowID     int64   `json:"last_row_id"`
	ChangedDB     bool    `json:"changed_db"`
	SizeAfter     int64   `json:"size_after"`
	RowsRead      int64   `json:"rows_read"`
	RowsWritten   int64   `json:"rows_written"`
	TotalAttempts int     `json:"total_attempts"`
}

// MarshalJSON writes the meta object of D1's answers: durations in milliseconds.
func (m Meta) MarshalJSON() ([]byte, error) {
	ms := float64(m.Duration) / float64(time.Millisecond)
	j := metaJSON{
		ServedBy: m.ServedBy, ServedByRegion: m.ServedByRegion, ServedByColo: m.ServedByColo,
		ServedByPrimary: m.ServedByPrimary, Duration: ms,
		Changes: m.Changes, LastRowID: m.LastRowID, ChangedDB: m.ChangedDB, SizeAfter: m.SizeAfter,
		RowsRead: m.RowsRead, RowsWritten: m.RowsWritten, TotalAttempts: m.TotalAttempts,
	}
	j.Timings.SQLDurationMS = ms
	return json.Marshal(j)
}

// UnmarshalJSON reads the meta object of D1's answers. Unknown keys are ignored;
// whole numbers that JavaScript wrote with an exponent or a fraction are read
// as the integers they are.
func (m *Meta) UnmarshalJSON(data []byte) error {
	var j struct {
		metaJSON
		Changes       integer `json:"changes"`
		LastRowID     integer `json:"last_row_id"`
		SizeAfter     integer `json:"size_after"`
		RowsRead      integer `json:"rows_read"`
		RowsWritten   integer `json:"rows_written"`
		TotalAttempts integer `json:"total_attempts"`
	}
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	*m = Meta{
		ServedBy: j.ServedBy, ServedByRegion: j.ServedByRegion, ServedByColo: j.ServedByColo,
		ServedByPrimary: j.ServedByPrimary,
		Duration:        time.Duration(math.Round(j.Duration * float64(time.Millisecond))),
		Changes:         int64(j.Changes), LastRowID: int64(j.LastRowID), ChangedDB: j.ChangedDB,
		SizeAfter: int64(j.SizeAfter), RowsRead: int64(j.RowsRead), RowsWritten: int64(j.RowsWritten),
		TotalAttempts: int(j.TotalAttempts),
	}
	return nil
}

// integer is a whole number in any of JSON's forms: exactly, unless it has been rounded
// on its way here.
type integer int64

// UnmarshalJSON implements [json.Unmarshaler].
func (n *integer) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	if exact, err := strconv.ParseInt(string(data), 10, 64); err == nil {
		*n = integer(exact)
		return nil
	}
	var f float64
	if err := json.Unmarshal(data, &f); err != nil {
		return err
	}
	switch {
	case f >= math.MaxInt64: // which as a float64 is 2^63
		*n = math.MaxInt64
	case f <= math.MinInt64:
		*n = math.MinInt64
	default:
		*n = integer(f)
	}
	return nil
}

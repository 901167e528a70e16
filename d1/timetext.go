package d1

import (
	"fmt"
	"strings"
	"time"
)

// ParseTime reads a time as [TimeFormat], SQLite's date functions and CURRENT_TIMESTAMP
// write it, and as other drivers do, which use [time.Time.String] or its like. A text without
// a zone is in UTC.
func ParseTime(text string) (time.Time, error) {
	if t, ok := parseTime(text); ok {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("the text %q is no time in RFC 3339 or in SQLite's format", text)
}

func parseTime(text string) (time.Time, bool) {
	const date, minutes = len("2006-01-02"), len("2006-01-02 15:04")
	year, month, day, ok := parseDate(text)
	if !ok {
		return time.Time{}, false
	}
	if len(text) == date {
		return clock{}.on(year, month, day, time.UTC)
	}
	if len(text) < minutes || text[date] != ' ' && text[date] != 'T' && text[date] != 't' {
		return time.Time{}, false
	}
	c, rest, ok := parseClock(text[date+1:])
	if !ok {
		return time.Time{}, false
	}
	zone, ok := parseZone(rest)
	if !ok {
		return parseTimeString(text)
	}
	return c.on(year, month, day, zone)
}

// parseTimeString reads what time.Time.String writes.
func parseTimeString(text string) (time.Time, bool) {
	if i := strings.Index(text, " m="); i >= 0 {
		text = text[:i]
	}
	t, err := time.ParseInLocation("2006-01-02 15:04:05.999999999 -0700 MST", text, time.UTC)
	return t, err == nil
}

func parseDate(text string) (year int, month time.Month, day int, ok bool) {
	if len(text) < 10 || text[4] != '-' || text[7] != '-' {
		return 0, 0, 0, false
	}
	century, ok1 := twoDigits(text)
	decade, ok2 := twoDigits(text[2:])
	m, ok3 := twoDigits(text[5:])
	day, ok4 := twoDigits(text[8:])
	return century*100 + decade, time.Month(m), day, ok1 && ok2 && ok3 && ok4
}

// clock is a time of day.
type clock struct{ hour, minute, second, nanosecond int }

// on returns the clock's time on a day, unless one of them does not exist.
func (c clock) on(year int, month time.Month, day int, zone *time.Location) (time.Time, bool) {
	t := time.Date(year, month, day, c.hour, c.minute, c.second, c.nanosecond, zone)
	ok := c.hour < 24 && c.minute < 60 && c.second < 60 && 1 <= month && month <= 12 && t.Day() == day
	return t, ok
}

// parseClock reads HH:MM, HH:MM:SS or HH:MM:SS.SSS, and returns what follows.
func parseClock(text string) (c clock, rest string, ok bool) {
	if len(text) < 5 || text[2] != ':' {
		return c, "", false
	}
	hour, ok1 := twoDigits(text)
	minute, ok2 := twoDigits(text[3:])
	c.hour, c.minute, rest = hour, minute, text[5:]
	if len(rest) < 3 || rest[0] != ':' {
		return c, rest, ok1 && ok2
	}
	second, ok3 := twoDigits(rest[1:])
	c.second, rest = second, rest[3:]
	if len(rest) < 2 || rest[0] != '.' || !isDigit(rest[1]) {
		return c, rest, ok1 && ok2 && ok3
	}
	rest = rest[1:]
	for scale := 100_000_000; rest != "" && isDigit(rest[0]); rest = rest[1:] {
		c.nanosecond += int(rest[0]-'0') * scale
		scale /= 10 // what is finer than a nanosecond is left out
	}
	return c, rest, ok1 && ok2 && ok3
}

// parseZone reads nothing, Z, or an offset such as +01:00, which spaces may precede.
func parseZone(text string) (*time.Location, bool) {
	text = strings.TrimLeft(text, " ")
	switch {
	case text == "", text == "Z", text == "z":
		return time.UTC, true
	case len(text) != 6 || text[0] != '+' && text[0] != '-' || text[3] != ':':
		return nil, false
	}
	hours, ok1 := twoDigits(text[1:])
	minutes, ok2 := twoDigits(text[4:])
	if !ok1 || !ok2 || hours > 23 || minutes > 59 {
		return nil, false
	}
	offset := hours*3600 + minutes*60
	switch {
	case offset == 0:
		return time.UTC, true
	case text[0] == '-':
		offset = -offset
	}
	return time.FixedZone("", offset), true
}

func twoDigits(text string) (int, bool) {
	if !isDigit(text[0]) || !isDigit(text[1]) {
		return 0, false
	}
	return int(text[0]-'0')*10 + int(text[1]-'0'), true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

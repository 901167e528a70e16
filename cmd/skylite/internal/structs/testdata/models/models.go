// Package models has structs of every kind that a table can be made of.
package models

import (
	stdsql "database/sql"
	"time"
)

// Base is part of others, and no table.
type Base struct {
	ID      int64     `ddl:"pk"`
	Created time.Time `ddl:"index=time;default=CURRENT_TIMESTAMP"`
}

// Level and Bytes are what they are made of.
type (
	Level int8
	Bytes []byte
	Deep  Level
)

// User is a table.
type User struct {
	_ struct{} `ddl:"table=users"`
	Base
	Level            Deep
	First, Last      string `ddl:"index=names"`
	Email            string `d1:"mail" ddl:"unique"`
	Photo            Bytes
	Raw              []uint8 `ddl:"notnull"`
	Boss             *int64  `ddl:"references=users(id);ondelete=SET NULL"`
	Nick             stdsql.NullString
	Seen             *time.Time
	Data             map[string]any `ddl:"type=TEXT"`
	Active, Verified bool
	Score            (float64)
	HTTPPort         uint16
	Any              any      `ddl:"type=ANY;null"`
	Ignored          chan int `d1:"-"`
	private          int
}

// Private keeps the field in use.
func (u User) Private() int { return u.private }

// Order is a table too.
type Order struct {
	User  int64  `ddl:"pk;references=users"`
	Name  string `ddl:"pk"`
	Price float32
}

// Other has no ddl tag, and is no table.
type Other struct{ Name string }

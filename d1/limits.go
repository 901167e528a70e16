package d1

import "time"

// D1's limits. Those of a statement are checked before a request is spent, and
// enforced by the embedded engine with D1's own texts.
//
// Sources: developers.cloudflare.com/d1/platform/limits, and the limits that
// workerd sets on its SQLite connections.
const (
	// MaxStatementBytes is the length of one statement's text.
	MaxStatementBytes = 100_000
	// MaxParams is the number of bound parameters in one statement.
	MaxParams = 100
	// MaxColumns is the number of columns of a table or of a result.
	MaxColumns = 100
	// MaxValueBytes is the length of a text, a blob or a row that D1 documents.
	MaxValueBytes = 2_000_000
	// MaxCompoundTerms is the number of terms in a compound SELECT.
	MaxCompoundTerms = 5
	// MaxLikePatternBytes is the length of a LIKE or GLOB pattern.
	MaxLikePatternBytes = 50
	// MaxExpressionDepth is the depth of an expression's tree.
	MaxExpressionDepth = 100
	// MaxTriggerDepth is how deep triggers may fire triggers.
	MaxTriggerDepth = 10
	// MaxDatabaseBytes is the size of a database on a paid plan.
	MaxDatabaseBytes = 10 << 30
	// MaxQueryDuration is how long a call may run, all its statements together.
	MaxQueryDuration = 30 * time.Second
	// MaxExactInteger is the largest integer that is surely exact in D1's JSON: 2^53
	// arrives as itself, but so does 2^53+1.
	MaxExactInteger = 1<<53 - 1
)

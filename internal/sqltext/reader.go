package sqltext

// phase is what a reader waits for.
type phase uint8

const (
	atStart         phase = iota // the first word
	afterExplain                 // QUERY, or the verb
	afterQuery                   // PLAN
	beforeVerb                   // the verb behind EXPLAIN QUERY PLAN
	inWith                       // the AS of a common table expression
	inWithBody                   // the end of its parentheses
	afterWith                    // a comma, or the verb
	afterCreate                  // TEMP, TRIGGER or something else
	inPragma                     // a pragma's name and argument
	inRest                       // nothing but RETURNING
	inTriggerHead                // the BEGIN of a trigger
	inTriggerBody                // a semicolon in a trigger's body
	atTriggerAction              // the word behind BEGIN or such a semicolon
)

// reader collects what there is to know of one statement while its tokens
// pass by.
type reader struct {
	st     Statement
	sql    string
	start  int // where the statement begins in sql
	phase  phase
	depth  int // of parentheses
	blank  bool
	params numbering
	pragma pragma
}

// inBody reports whether a semicolon belongs to a trigger's body.
func (r *reader) inBody() bool {
	return r.phase == inTriggerBody || r.phase == atTriggerAction
}

func (r *reader) token(t Token) {
	if t.Kind == TokenSpace {
		return
	}
	r.blank = false
	switch t.Kind {
	case TokenComment:
		if openComment(r.sql, t) {
			r.fault(t, OpenComment)
		}
		return
	case TokenIllegal:
		r.fault(t, illegalKind(r.sql, t))
	case TokenVariable:
		r.param(t)
	case TokenLeft:
		r.depth++
	case TokenRight:
		r.depth--
	}
	r.advance(t)
}

// fault records the first fault. An open comment gives way to others; there
// can be one after it only if a NUL byte ended it.
func (r *reader) fault(t Token, kind FaultKind) {
	if r.st.Fault.Refused() {
		return
	}
	if kind == NULByte {
		t.Start, t.End = nulIndex(r.sql, t.Start), nulIndex(r.sql, t.Start)+1
	}
	r.st.Fault = Fault{kind, t.Start - r.start, t.End - r.start}
}

// openComment reports whether the comment t lacks its end.
func openComment(sql string, t Token) bool {
	n := t.End - t.Start
	return sql[t.Start] == '/' && (n < 4 || sql[t.End-2:t.End] != "*/")
}

func illegalKind(sql string, t Token) FaultKind {
	c := sql[t.Start]
	switch {
	case c == 0:
		return NULByte
	case c == '\'' || c == '"' || c == '`' || c == '[':
		// Only the end of the text makes a quote illegal.
		if t.End < len(sql) {
			return NULByte
		}
		return OpenQuote
	case c|0x20 == 'x' && (t.End-t.Start == 2 || sql[t.End-1] != '\''):
		if t.End < len(sql) {
			return NULByte
		}
		return OpenQuote
	}
	return BadToken
}

// advance moves on by a token that SQLite's grammar sees.
func (r *reader) advance(t Token) {
	switch r.phase {
	case atStart, afterExplain, afterQuery, beforeVerb, afterWith:
		r.begin(t)
	case inWith:
		if r.depth == 0 && r.is(t, "AS") {
			r.phase = inWithBody
		}
	case inWithBody:
		if r.depth == 0 && t.Kind == TokenRight {
			r.phase = afterWith
		}
	case afterCreate:
		r.create(t)
	case inPragma:
		r.pragma.token(r.sql, t)
	case inRest:
		if r.depth == 0 && r.is(t, "RETURNING") && r.st.Kind == Write {
			r.st.ReturnsRows = true
		}
	case inTriggerHead:
		if r.is(t, "BEGIN") {
			r.phase = atTriggerAction
		}
	case inTriggerBody, atTriggerAction:
		r.trigger(t)
	}
}

// trigger follows the body of a trigger. A table or column may be called
// begin, so that the body seems to start too early; that does no harm, as no
// semicolon comes before the true start.
func (r *reader) trigger(t Token) {
	switch {
	case t.Kind == TokenSemicolon:
		r.phase = atTriggerAction
	case r.phase == atTriggerAction && r.is(t, "END"):
		r.phase = inRest
	default:
		r.phase = inTriggerBody
	}
}

func (r *reader) create(t Token) {
	switch {
	case r.is(t, "TEMP"), r.is(t, "TEMPORARY"):
	case r.is(t, "TRIGGER"):
		r.phase = inTriggerHead
	default:
		r.phase = inRest
	}
}

// begin handles the first tokens, up to the verb.
func (r *reader) begin(t Token) {
	switch {
	case r.phase == afterWith && t.Kind == TokenComma:
		r.phase = inWith
	case r.phase == atStart && r.is(t, "EXPLAIN"):
		r.st.Explain, r.st.VerbStart = true, t.Start-r.start
		r.phase = afterExplain
	case r.phase == afterExplain && r.is(t, "QUERY"):
		r.phase = afterQuery
	case r.phase == afterQuery && r.is(t, "PLAN"):
		r.phase = beforeVerb
	case r.phase != afterWith && r.is(t, "WITH"):
		r.phase = inWith
		r.st.Verb, r.st.VerbStart = "WITH", t.Start-r.start
	default:
		r.verb(t)
	}
}

func (r *reader) verb(t Token) {
	var kind Kind
	verb := ""
	if t.Kind == TokenWord {
		verb, kind = lookupVerb(t.Text(r.sql))
	} else {
		kind = Unknown
	}
	if r.phase == afterWith && kind != Read && kind != Write {
		kind = Unknown
	}
	r.st.Verb, r.st.Kind = verb, kind
	r.st.VerbStart = t.Start - r.start
	switch {
	case verb == "CREATE":
		r.phase = afterCreate
	case verb == "PRAGMA":
		r.phase = inPragma
	default:
		r.phase = inRest
	}
}

// is reports whether t is the keyword word, which is in upper case.
func (r *reader) is(t Token, word string) bool {
	return t.Kind == TokenWord && equalFold(r.sql[t.Start:t.End], word)
}

// finish draws the conclusions at the end of the statement.
func (r *reader) finish() {
	st := &r.st
	if st.Verb == "WITH" {
		st.Kind = Unknown // no verb came
	}
	if st.Verb == "" && st.Explain {
		st.Verb = "EXPLAIN"
	}
	switch {
	case st.Explain:
		st.Kind, st.ReturnsRows = Read, true
	case st.Kind == Read:
		st.ReturnsRows = true
	case st.Kind == Pragma:
		st.ReturnsRows = r.pragma.answers()
	}
}

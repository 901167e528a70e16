package ond1

import "strings"

// texts is the SQL of a layout. In it {t}, {m}, {c} and {r} stood for the tables.
type texts struct {
	threads, messages, chunks, resources, schema string
	mastra                                       bool

	guardThreads, bumpThreads, bumpOfMessages              string
	getThread, saveThread, updateThread                    string
	deleteThread, deleteThreadMessages, deleteThreadChunks string

	saveMany, saveOne, updateMessage, getMessages string
	guardChunked, guardVersion                    string
	deleteMessages, deleteChunks, saveChunk       string

	getResource, saveResource, updateResource string
}

// merge is an expression: a JSON object, in a column, with the changes of a parameter, an
// array of [path, value as JSON] pairs, made in order. json_set leaves every other value
// as it is written, to the digit; json_patch would remove what is set to null.
func merge(column, param string) string {
	return "(WITH RECURSIVE edit(n, doc) AS (SELECT 0, " + column +
		" UNION ALL SELECT edit.n + 1, json_set(edit.doc, p.value->>0, json(p.value->>1)) FROM edit, json_each(" + param +
		") AS p WHERE p.key = edit.n) SELECT doc FROM edit ORDER BY n DESC LIMIT 1)"
}

// object is an expression: what a column holds if that is a JSON object, or else an empty one.
func object(column string) string {
	return "CASE WHEN json_valid(" + column + ") AND json_type(" + column + ") = 'object' THEN " + column + " ELSE '{}' END"
}

// later is an expression: the time of a parameter, or, if the column is not before that,
// a millisecond after the column.
func later(column, param string) string {
	return "CASE WHEN " + column + " < " + param + " THEN " + param +
		" ELSE coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', " + column + ", '+0.001 seconds'), " + param + ") END"
}

const (
	threadColumns   = "id, resourceId, title, metadata, createdAt, updatedAt, archivedAt"
	resourceColumns = "id, workingMemory, metadata, createdAt, updatedAt"
)

func newTexts(cfg Config) *texts {
	p := cfg.TablePrefix
	x := &texts{threads: p + "threads", messages: p + "messages", chunks: p + "message_chunks",
		resources: p + "metadata", schema: p + "memory_schema"}
	if cfg.Layout == LayoutMastra {
		x.mastra = true
		x.threads, x.messages, x.resources = p+"mastra_threads", p+"mastra_messages", p+"mastra_resources"
	}
	f := x.fill
	x.guardThreads = f("SELECT " + raise("no-thread", "j.value") +
		" FROM json_each(?) AS j WHERE NOT EXISTS (SELECT 1 FROM {t} WHERE id = j.value) LIMIT 1")
	x.bumpThreads = f("UPDATE {t} SET updatedAt = " + later("updatedAt", "?1") +
		" WHERE id IN (SELECT value FROM json_each(?2))")
	x.bumpOfMessages = f("UPDATE {t} SET updatedAt = " + later("updatedAt", "?1") +
		" WHERE id IN (SELECT thread_id FROM {m} WHERE id IN (SELECT value FROM json_each(?2)))")

	x.getThread = f("SELECT " + threadColumns + " FROM {t} WHERE id = ?")
	x.saveThread = f("INSERT INTO {t} (" + threadColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET " +
		"resourceId = excluded.resourceId, title = excluded.title, metadata = excluded.metadata, " +
		"createdAt = excluded.createdAt, updatedAt = excluded.updatedAt, archivedAt = excluded.archivedAt")
	x.updateThread = f("UPDATE {t} SET title = coalesce(?2, title), " +
		"metadata = CASE WHEN ?3 IS NULL THEN metadata ELSE " + merge(object("{t}.metadata"), "?3") + " END, " +
		"archivedAt = CASE ?4 WHEN 0 THEN archivedAt ELSE ?5 END, " +
		"updatedAt = CASE WHEN ?2 IS NULL AND ?3 IS NULL THEN updatedAt ELSE " + later("updatedAt", "?6") + " END " +
		"WHERE id = ?1 RETURNING " + threadColumns)
	x.deleteThread = f("DELETE FROM {t} WHERE id = ?")
	x.deleteThreadMessages = f("DELETE FROM {m} WHERE thread_id = ?")
	x.deleteThreadChunks = f("DELETE FROM {c} WHERE message_id IN (SELECT id FROM {m} WHERE thread_id = ? AND chunked IS NOT NULL)")
	x.messageTexts()
	x.resourceTexts()
	return x
}

func (x *texts) messageTexts() {
	f := x.fill
	columns, values, one, set := "id, thread_id, content, role, type, createdAt, resourceId", "value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6", "?, ?, ?, ?, ?, ?, ?", ""
	if !x.mastra {
		columns, values, one, set = columns+", chunked", values+", value->>7", one+", ?", ", chunked = excluded.chunked"
	}
	upsert := " ON CONFLICT (id) DO UPDATE SET thread_id = excluded.thread_id, content = excluded.content, " +
		"role = excluded.role, type = excluded.type, resourceId = excluded.resourceId" + set + " RETURNING id, createdAt"
	x.saveMany = f("INSERT INTO {m} (" + columns + ") SELECT " + values + " FROM json_each(?) WHERE true" + upsert)
	x.saveOne = f("INSERT INTO {m} (" + columns + ") VALUES (" + one + ")" + upsert)
	x.updateMessage = f("UPDATE {m} SET thread_id = coalesce(?2, thread_id), resourceId = coalesce(?3, resourceId), " +
		"role = coalesce(?4, role), type = coalesce(?5, type), " +
		"content = CASE WHEN ?6 IS NULL THEN content ELSE " + merge(object("{m}.content"), "?6") + " END WHERE id = ?1")
	x.getMessages = x.selectMessages(f("SELECT " + x.messageColumns("m") + " FROM {m} AS m WHERE m.id IN (SELECT value FROM json_each(?))"))
	x.guardChunked = f("SELECT " + raise("chunked", "id") +
		" FROM {m} WHERE id IN (SELECT value FROM json_each(?)) AND chunked IS NOT NULL LIMIT 1")
	x.guardVersion = f("SELECT " + raise("conflict", "?1") + " FROM (SELECT 1) WHERE NOT EXISTS (SELECT 1 FROM {m} WHERE id = ?1 AND chunked IS ?2 AND (?3 IS NULL OR content IS ?3))")
	x.deleteMessages = f("DELETE FROM {m} WHERE id IN (SELECT value FROM json_each(?))")
	x.deleteChunks = f("DELETE FROM {c} WHERE message_id IN (SELECT value FROM json_each(?))")
	x.saveChunk = f("INSERT INTO {c} (message_id, n, data) VALUES (?, ?, ?)")
}

func (x *texts) resourceTexts() {
	f := x.fill
	x.getResource = f("SELECT " + resourceColumns + " FROM {r} WHERE id = ?")
	x.saveResource = f("INSERT INTO {r} (" + resourceColumns + ") VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET " +
		"workingMemory = excluded.workingMemory, metadata = excluded.metadata, createdAt = excluded.createdAt, updatedAt = excluded.updatedAt")
	x.updateResource = f("INSERT INTO {r} (" + resourceColumns + ") VALUES (?1, ?2, " + merge("'{}'", "?3") + ", ?4, ?4) " +
		"ON CONFLICT (id) DO UPDATE SET workingMemory = CASE WHEN ?2 IS NULL THEN workingMemory ELSE ?2 END, " +
		"metadata = CASE WHEN ?3 = '[]' THEN metadata ELSE " + merge(object("{r}.metadata"), "?3") + " END, " +
		"updatedAt = " + later("{r}.updatedAt", "?4") + " RETURNING " + resourceColumns)
}

// messageColumns are those that a message is read from, but for its chunks.
func (x *texts) messageColumns(alias string) string {
	columns := "rowid AS rid, id, thread_id, resourceId, role, type, createdAt, content"
	if x.mastra {
		columns += ", NULL AS chunked"
	} else {
		columns += ", chunked"
	}
	return alias + "." + strings.ReplaceAll(strings.ReplaceAll(columns, ", ", ", "+alias+"."), alias+".NULL", "NULL")
}

// selectMessages adds the chunks to a query with messageColumns.
func (x *texts) selectMessages(query string) string {
	if x.mastra {
		return "SELECT q.*, NULL, NULL FROM (" + query + ") AS q"
	}
	return x.fill("SELECT q.*, c.n, c.data FROM (" + query + ") AS q LEFT JOIN {c} AS c ON c.message_id = q.id AND q.chunked IS NOT NULL")
}

func (x *texts) fill(sql string) string {
	return strings.NewReplacer("{t}", `"`+x.threads+`"`, "{m}", `"`+x.messages+`"`, "{c}", `"`+x.chunks+`"`,
		"{r}", `"`+x.resources+`"`, "{s}", `"`+x.schema+`"`).Replace(sql)
}

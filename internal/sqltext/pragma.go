package sqltext

// pragma remembers the last name before a pragma's argument:
//
//	PRAGMA [schema.]name [= value | (value)]
type pragma struct {
	name Token
	arg  bool
	sql  string
}

func (p *pragma) token(sql string, t Token) {
	p.sql = sql
	switch t.Kind {
	case TokenOperator, TokenLeft:
		p.arg = true
	case TokenWord, TokenQuoted, TokenString:
		if !p.arg {
			p.name = t
		}
	}
}

// answers reports whether the pragma has result columns. SQLite ignores a
// pragma it does not know, without an answer.
func (p *pragma) answers() bool {
	name := Unquote(p.name.Text(p.sql))
	var buf [32]byte
	if len(name) > len(buf) {
		return false
	}
	for i := range len(name) {
		buf[i] = name[i]
		if 'A' <= name[i] && name[i] <= 'Z' {
			buf[i] += 'a' - 'A'
		}
	}
	switch string(buf[:len(name)]) {
	case "analysis_limit", "busy_timeout", "collation_list", "compile_options",
		"data_version", "database_list", "foreign_key_check",
		"foreign_key_list", "freelist_count", "function_list",
		"hard_heap_limit", "index_info", "index_list", "index_xinfo",
		"integrity_check", "journal_mode", "journal_size_limit",
		"locking_mode", "max_page_count", "mmap_size", "module_list",
		"optimize", "page_count", "pragma_list", "quick_check",
		"secure_delete", "soft_heap_limit", "table_info", "table_list",
		"table_xinfo", "threads", "wal_autocheckpoint", "wal_checkpoint":
		return true
	case "application_id", "auto_vacuum", "automatic_index", "cache_size",
		"cache_spill", "cell_size_check", "checkpoint_fullfsync",
		"count_changes", "default_cache_size", "defer_foreign_keys",
		"empty_result_callbacks", "encoding", "foreign_keys",
		"full_column_names", "fullfsync", "ignore_check_constraints",
		"legacy_alter_table", "page_size", "query_only",
		"read_uncommitted", "recursive_triggers",
		"reverse_unordered_selects", "schema_version",
		"short_column_names", "synchronous", "temp_store",
		"temp_store_directory", "trusted_schema", "user_version",
		"writable_schema":
		return !p.arg // they answer when asked, but not when set
	}
	return false
}

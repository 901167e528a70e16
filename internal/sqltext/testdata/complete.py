"""Writes complete.txt.gz: 10,000 scripts, and whether SQLite calls them complete.

Usage: python3 complete.py

Each line of the file is 1 or 0, what sqlite3_complete() says, and then the script as a
JSON string. Python's sqlite3.complete_statement calls that function. The scripts are made
of statements that the schema of the tests in the folder above accepts, and of pieces that
are known to mislead those who cut SQL, put together, cut off and mangled by a generator
of random numbers with a fixed seed, so that the same file comes out again.
"""

import gzip
import json
import pathlib
import random
import sqlite3

HEADER = "CREATE{s}TRIGGER{s}z AFTER INSERT ON posts{s}"
STATEMENTS = [
    "SELECT 1", "SELECT 'a;b''c'", 'SELECT "a;" FROM (SELECT 1 AS "a;")', "SELECT `b;` FROM (SELECT 2 AS `b;`)",
    "SELECT [c;] FROM (SELECT 3 AS [c;])", "INSERT INTO t (a, b) VALUES (1, ';'), (2, 'end;')", "DELETE FROM u WHERE a = ';'",
    "CREATE TABLE x (a, b CHECK (b > ';'))", "CREATE TABLE x (trigger, [end;])", "CREATE TEMP TABLE x (a)", "CREATE INDEX xi ON t (a) WHERE a > 0",
    "SELECT CASE a WHEN 1 THEN 'x' ELSE 'y' END FROM t", "BEGIN", "END", "COMMIT", "EXPLAIN SELECT 1", "EXPLAIN QUERY PLAN DELETE FROM t",
    "SELECT end FROM begin", "DROP TABLE u", "WITH q AS (SELECT 1) SELECT * FROM q", "VALUES (1), (2)", "SELECT x'3b', 1_000, 0x3b",
    "SELECT '{}' -> 'a' ->> 'b'", "SELECT 1 /* a; b */ + 2", "SELECT 1 -- a; b\n + 2", "UPDATE t SET a = 1 WHERE b IN (SELECT ';')",
    HEADER + "BEGIN{s}INSERT INTO audit VALUES (NEW.id, CASE WHEN NEW.id > 0 THEN 'positive' ELSE 'other' END);{s}END",
    HEADER + "BEGIN{s}SELECT 1;{s}SELECT ';end;';{s}DELETE FROM u;{s}END",
    HEADER + "FOR EACH ROW WHEN CASE NEW.id WHEN 1 THEN 1 END BEGIN{s}SELECT end FROM begin;{s}END",
    "CREATE{s}TEMP{s}TRIGGER z DELETE ON t BEGIN{s}SELECT 1;{s}END", "CREATE TEMPORARY TRIGGER z DELETE ON t BEGIN SELECT 1; END",
    "EXPLAIN{s}CREATE TRIGGER z DELETE ON t BEGIN{s}SELECT 1;{s}END", "EXPLAIN QUERY PLAN CREATE TRIGGER z DELETE ON t BEGIN SELECT 1; END",
    "CREATE TRIGGER end INSERT ON begin BEGIN{s}SELECT new.end;{s}WITH end AS (SELECT 1) SELECT * FROM end;{s}END",
]
MISLEADING = [
    "'", '"', "`", "[", "]", "--", "/*", "*/", ";", ";;", " END", ";END;", "BEGIN", "CREATE TRIGGER", "\r\n", "\n", "- ", "/", "-- x\n", "/* ; */",
    "CREATE", "TEMP", "EXPLAIN", "é;", "END_;", "_END;", "endé;", "1end;", "''", "'';'", "\t", "\f", "x", "(", ")", "CASE",
]
SPACES = [" ", "\n", "\r\n", "\t", " /* ; */ ", " -- ;\n", " -- end;\r\n", "\n\n", "/**/ "]


def statement(rng):
    text = rng.choice(STATEMENTS)
    while "{s}" in text:
        text = text.replace("{s}", rng.choice(SPACES), 1)
    style = rng.randrange(6)
    if style == 0:
        text = text.lower()
    elif style == 1:
        text = "".join(c.upper() if rng.random() < 0.5 else c.lower() for c in text)
    elif style == 2:
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    return text


def script(rng):
    parts = []
    for _ in range(rng.randint(1, 4)):
        parts.append(statement(rng))
        parts.append(rng.choice([";", ";", ";", " ;", ";\n", "\r\n;\r\n", "; -- ;\n", ";/* ; */", "", "; ;"]))
    text = "".join(parts)
    for _ in range(rng.choice([0, 0, 0, 1, 2])):
        at = rng.randint(0, len(text))
        if rng.random() < 0.5:
            text = text[:at]  # cut off
        else:
            text = text[:at] + rng.choice(MISLEADING) + text[at:]
    return text


def main():
    rng = random.Random(14991)
    # The trigger with ends of lines from Windows, which D1's API was reported to cut:
    # github.com/cloudflare/workers-sdk/issues/14991
    crlf = "CREATE TRIGGER z AFTER INSERT ON posts\r\nBEGIN\r\n  INSERT INTO audit VALUES (NEW.id, 'new');\r\nEND;\r\n"
    scripts = ["", ";", crlf, crlf + "SELECT 1;\r\n", crlf.lower()]
    seen = set(scripts)
    while len(scripts) < 10000:
        text = script(rng)
        if text not in seen:
            seen.add(text)
            scripts.append(text)
    lines = "".join(f"{int(sqlite3.complete_statement(s))} {json.dumps(s, ensure_ascii=False)}\n" for s in scripts)
    target = pathlib.Path(__file__).with_name("complete.txt.gz")
    with target.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0, compresslevel=9) as out:
        out.write(lines.encode())


if __name__ == "__main__":
    main()

-- Migration number: 0001; a semicolon in a comment
CREATE TABLE users (
    id    INTEGER PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name  TEXT DEFAULT 'nobody; "really"'
);

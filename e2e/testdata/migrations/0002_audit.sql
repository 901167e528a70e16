CREATE TABLE audit (
    user_id INTEGER NOT NULL REFERENCES users (id),
    was     TEXT,
    is_now  TEXT
);

/* The body of a trigger has
   semicolons of its own; */
CREATE TRIGGER users_renamed AFTER UPDATE OF name ON users
WHEN old.name IS NOT new.name
BEGIN
    INSERT INTO audit VALUES (new.id, old.name, new.name);
    UPDATE users SET email = CASE WHEN new.name = '' THEN lower(email) ELSE email END WHERE id = new.id;
END;

CREATE INDEX audit_by_user ON audit (user_id);

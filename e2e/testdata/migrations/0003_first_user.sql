INSERT INTO users (email, name) VALUES ('Ada@Example.com', 'Ada');
UPDATE users SET name = 'Ada Lovelace' WHERE name = 'Ada';

-- name: CreateUser :one
INSERT INTO users (email, nick, score, rating, admin, avatar, seen, birthday)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
RETURNING *;

-- name: GetUser :one
SELECT * FROM users WHERE id = ?;

-- name: UsersSeenBefore :many
SELECT * FROM users WHERE seen < sqlc.arg(instant) ORDER BY id;

-- name: UsersByID :many
SELECT * FROM users WHERE id IN (sqlc.slice(ids)) ORDER BY id;

-- name: AddScore :execrows
UPDATE users SET score = score + sqlc.arg(points) WHERE admin = sqlc.arg(admin);

-- name: ForgetUser :exec
DELETE FROM users WHERE id = ?;

-- name: RenameUser :one
UPDATE users SET nick = ? WHERE id = ? RETURNING nick, created;

-- name: CopyUser :execlastid
INSERT INTO users (email, score) SELECT 'copy of ' || u.email, u.score FROM users AS u WHERE u.id = ?;

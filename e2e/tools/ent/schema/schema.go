// Package schema is what ent generates its code from.
package schema

import (
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// User has every kind of column, posts, and users whom it follows.
type User struct{ ent.Schema }

// Fields implements [ent.Interface].
func (User) Fields() []ent.Field {
	return []ent.Field{
		field.String("email").Unique(),
		field.Int64("score").Default(0),
		field.Float("rating").Default(0),
		field.Bool("active").Default(true),
		field.Bytes("avatar").Optional(),
		field.JSON("labels", []string{}).Optional(),
		field.Time("created_at").Default(time.Now).Immutable(),
		field.Time("seen_at").Optional().Nillable(),
	}
}

// Edges implements [ent.Interface].
func (User) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("posts", Post.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
		edge.To("follows", User.Type).From("followers"),
	}
}

// Post belongs to a user.
type Post struct{ ent.Schema }

// Fields implements [ent.Interface].
func (Post) Fields() []ent.Field { return []ent.Field{field.String("title")} }

// Edges implements [ent.Interface].
func (Post) Edges() []ent.Edge {
	return []ent.Edge{edge.From("author", User.Type).Ref("posts").Unique().Required()}
}

// Indexes implements [ent.Interface].
func (Post) Indexes() []ent.Index { return []ent.Index{index.Fields("title")} }

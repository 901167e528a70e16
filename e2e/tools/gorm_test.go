package tools

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/skylite-go/skylite/d1"
)

type gormUser struct {
	gorm.Model // ID, CreatedAt, UpdatedAt, DeletedAt
	Name       string
	Email      string `gorm:"uniqueIndex"`
	Nick       *string
	Admin      bool
	Avatar     []byte
	Score      int64
	Rating     float64
	Seen       time.Time
	Left       *time.Time
	Posts      []gormPost
}

func (gormUser) TableName() string { return "users" }

type gormPost struct {
	ID         uint
	GormUserID uint
	Title      string
	User       *gormUser `gorm:"foreignKey:GormUserID"`
}

func (gormPost) TableName() string { return "posts" }

func openGORM(t *testing.T, driver, dsn string) *gorm.DB {
	t.Helper()
	db, err := gorm.Open(sqlite.New(sqlite.Config{DriverName: driver, DSN: dsn}),
		&gorm.Config{Logger: logger.Discard, TranslateError: true})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		inner, err := db.DB()
		if err == nil {
			err = inner.Close()
		}
		if err != nil {
			t.Errorf("close: %v", err)
		}
	})
	for range 2 {
		if err := db.AutoMigrate(&gormUser{}, &gormPost{}); err != nil {
			t.Fatalf("AutoMigrate: %v", err)
		}
	}
	return db
}

func TestGORM(t *testing.T) {
	everywhere(t, func(t *testing.T, driver, dsn string) {
		db := openGORM(t, driver, dsn)
		seen := time.Date(2026, 1, 2, 3, 4, 5, 678000000, time.UTC)
		user := gormUser{
			Name: "Ada", Email: "ada@example.com", Admin: true, Avatar: []byte{0, 1, 255},
			Score: 1<<53 - 1, Rating: 1, Seen: seen, Posts: []gormPost{{Title: "One"}, {Title: "Two"}},
		}
		if err := db.Create(&user).Error; err != nil {
			t.Fatalf("Create: %v", err)
		}
		if user.ID == 0 || user.Posts[0].ID == 0 || user.Posts[1].GormUserID != user.ID {
			t.Errorf("after Create: ids %d, %+v", user.ID, user.Posts)
		}

		var got gormUser
		if err := db.Preload("Posts").First(&got, user.ID).Error; err != nil {
			t.Fatalf("First: %v", err)
		}
		if !got.Seen.Equal(seen) || got.CreatedAt.IsZero() || !got.CreatedAt.Equal(user.CreatedAt) || got.Left != nil {
			t.Errorf("times: %v, %v (created %v), %v", got.Seen, got.CreatedAt, user.CreatedAt, got.Left)
		}
		if got.Score != user.Score || got.Rating != 1 || !got.Admin || got.Nick != nil || !slices.Equal(got.Avatar, user.Avatar) {
			t.Errorf("values: %+v", got)
		}
		if len(got.Posts) != 2 || got.Posts[1].Title != "Two" {
			t.Errorf("has-many: %+v", got.Posts)
		}

		left := seen.Add(time.Hour)
		got.Left, got.Name = &left, "Ada Lovelace"
		if result := db.Save(&got); result.Error != nil || result.RowsAffected != 1 {
			t.Errorf("Save: %d rows, %v", result.RowsAffected, result.Error)
		}
		var again gormUser
		if err := db.Where("name LIKE ?", "Ada%").Where("seen < ?", left).Take(&again).Error; err != nil {
			t.Fatalf("Take: %v", err)
		}
		if again.Left == nil || !again.Left.Equal(left) {
			t.Errorf("after Save: %v", again.Left)
		}
	})
}

func TestGORMRowsAffected(t *testing.T) {
	everywhere(t, func(t *testing.T, driver, dsn string) {
		db := openGORM(t, driver, dsn)
		var users []gormUser
		for i := range 10 {
			users = append(users, gormUser{Name: fmt.Sprint("user ", i), Email: fmt.Sprint(i), Score: int64(i)})
		}
		if result := db.CreateInBatches(&users, 5); result.Error != nil || result.RowsAffected != 10 {
			t.Fatalf("CreateInBatches: %d rows, %v", result.RowsAffected, result.Error)
		}
		for i, user := range users {
			if user.ID != uint(i+1) {
				t.Errorf("id of user %d: %d", i, user.ID)
			}
		}
		if result := db.Model(&gormUser{}).Where("score < ?", 5).Update("admin", true); result.Error != nil || result.RowsAffected != 5 {
			t.Errorf("Update: %d rows, %v", result.RowsAffected, result.Error)
		}
		if result := db.Model(&gormUser{}).Where("score > ?", 99).Updates(gormUser{Name: "x"}); result.Error != nil || result.RowsAffected != 0 {
			t.Errorf("Update of nothing: %d rows, %v", result.RowsAffected, result.Error)
		}
		if result := db.Delete(&users[0]); result.Error != nil || result.RowsAffected != 1 {
			t.Errorf("Delete: %d rows, %v", result.RowsAffected, result.Error)
		}
		var there, all int64
		if err := errors.Join(db.Model(&gormUser{}).Count(&there).Error, db.Unscoped().Model(&gormUser{}).Count(&all).Error); err != nil {
			t.Fatal(err)
		}
		if there != 9 || all != 10 {
			t.Errorf("after a soft delete: %d of %d", there, all)
		}
		var gone gormUser
		if err := db.Unscoped().First(&gone, users[0].ID).Error; err != nil || !gone.DeletedAt.Valid {
			t.Errorf("deleted at %v, %v", gone.DeletedAt, err)
		}
		if result := db.Unscoped().Where("admin").Delete(&gormUser{}); result.Error != nil || result.RowsAffected != 5 {
			t.Errorf("Delete for good: %d rows, %v", result.RowsAffected, result.Error)
		}
	})
}

// TestGORMBulk creates more rows than D1's 100 parameters hold, in one statement.
func TestGORMBulk(t *testing.T) {
	everywhere(t, func(t *testing.T, driver, dsn string) {
		db := openGORM(t, driver, dsn)
		var posts []gormPost
		user := gormUser{Email: "ada"}
		for i := range 150 {
			posts = append(posts, gormPost{Title: fmt.Sprint(i)})
		}
		user.Posts = posts
		if err := db.Create(&user).Error; err != nil {
			t.Fatalf("Create: %v", err)
		}
		var ids []uint
		for i, post := range user.Posts {
			ids = append(ids, post.ID)
			if post.ID != uint(i+1) {
				t.Fatalf("id of post %d: %d", i, post.ID)
			}
		}
		var found []gormPost
		if err := db.Order("id").Find(&found, ids).Error; err != nil || len(found) != 150 || found[149].Title != "149" {
			t.Errorf("Find by 150 ids: %d posts, %v", len(found), err)
		}
		if result := db.Where("id IN ?", ids).Delete(&gormPost{}); result.Error != nil || result.RowsAffected != 150 {
			t.Errorf("Delete by 150 ids: %d rows, %v", result.RowsAffected, result.Error)
		}
	})
}

func TestGORMTransactions(t *testing.T) {
	everywhere(t, func(t *testing.T, driver, dsn string) {
		db := openGORM(t, driver, dsn)
		undo := errors.New("undo")
		err := db.Transaction(func(tx *gorm.DB) error {
			if err := tx.Create(&gormUser{Name: "outer", Email: "1"}).Error; err != nil {
				return err
			}
			err := tx.Transaction(func(tx *gorm.DB) error {
				if err := tx.Create(&gormUser{Name: "undone", Email: "2"}).Error; err != nil {
					return err
				}
				var n int64
				if err := tx.Model(&gormUser{}).Count(&n).Error; err != nil || n != 2 {
					return fmt.Errorf("%d users inside, %w", n, err)
				}
				return undo
			})
			if err != undo {
				return fmt.Errorf("inner transaction: %w", err)
			}
			return tx.Transaction(func(tx *gorm.DB) error {
				return tx.Create(&gormUser{Name: "inner", Email: "2"}).Error
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		wantNames(t, db, "outer", "inner")

		tx := db.Begin()
		tx.Create(&gormUser{Name: "kept", Email: "3"})
		tx.SavePoint("here")
		tx.Create(&gormUser{Name: "undone", Email: "4"})
		tx.RollbackTo("here")
		if err := tx.Commit().Error; err != nil {
			t.Fatalf("Commit: %v", err)
		}
		wantNames(t, db, "outer", "inner", "kept")

		err = db.Transaction(func(tx *gorm.DB) error {
			result := tx.Model(&gormUser{}).Where("name = ?", "kept").Update("name", "changed")
			if result.Error != nil || result.RowsAffected != 1 {
				return fmt.Errorf("Update: %d rows, %w", result.RowsAffected, result.Error)
			}
			return undo
		})
		if err != undo {
			t.Fatal(err)
		}
		wantNames(t, db, "outer", "inner", "kept")
	})
}

func wantNames(t *testing.T, db *gorm.DB, want ...string) {
	t.Helper()
	var got []string
	if err := db.Model(&gormUser{}).Order("id").Pluck("name", &got).Error; err != nil || !slices.Equal(got, want) {
		t.Errorf("names %q, %v; want %q", got, err, want)
	}
}

func TestGORMErrors(t *testing.T) {
	everywhere(t, func(t *testing.T, driver, dsn string) {
		db := openGORM(t, driver, dsn)
		if err := db.Create(&gormUser{Email: "ada"}).Error; err != nil {
			t.Fatal(err)
		}
		if err := db.Create(&gormUser{Email: "ada"}).Error; !errors.Is(err, gorm.ErrDuplicatedKey) {
			t.Errorf("a second one: %v", err)
		}
		if err := db.Create(&gormUser{Model: gorm.Model{ID: 1}, Email: "grace"}).Error; !errors.Is(err, gorm.ErrDuplicatedKey) {
			t.Errorf("the same id: %v", err)
		}
		if err := db.Create(&gormPost{GormUserID: 99}).Error; !errors.Is(err, gorm.ErrForeignKeyViolated) {
			t.Errorf("a post of nobody: %v", err)
		}
		if err := db.Create(&gormUser{Email: "joan"}).Error; err != nil {
			t.Fatal(err)
		}
		if err := db.Model(&gormUser{}).Where("email = ?", "joan").Update("email", "ada").Error; !errors.Is(err, gorm.ErrDuplicatedKey) {
			t.Errorf("Update to a name that is taken: %v", err)
		}
		if err := db.First(&gormUser{}, 99).Error; !errors.Is(err, gorm.ErrRecordNotFound) {
			t.Errorf("First: %v", err)
		}
	})
}

// TestGORMConcurrency creates rows from several goroutines, which take turns. A machine so
// slow that the turns run out may see conflicts; then a Create is run again.
func TestGORMConcurrency(t *testing.T) {
	everywhere(t, func(t *testing.T, driver, dsn string) {
		db := openGORM(t, driver, dsn)
		const workers, each = 4, 5
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for i := range each {
					err := d1.Retry(t.Context(), 100, func() error {
						user := gormUser{Email: fmt.Sprint(w, " ", i), Posts: []gormPost{{Title: "One"}}}
						return db.Create(&user).Error
					})
					if err != nil {
						t.Errorf("Create: %v", err)
					}
				}
			})
		}
		wg.Wait()
		var users []gormUser
		if err := db.Preload("Posts").Order("id").Find(&users).Error; err != nil || len(users) != workers*each {
			t.Fatalf("%d users, %v", len(users), err)
		}
		for i, user := range users {
			if user.ID != uint(i+1) || len(user.Posts) != 1 {
				t.Errorf("user %d has id %d and %d posts", i, user.ID, len(user.Posts))
			}
		}
	})
}

// TestGORMAlter changes a table the way that GORM does on SQLite: a copy in a
// transaction.
func TestGORMAlter(t *testing.T) {
	everywhere(t, func(t *testing.T, driver, dsn string) {
		db := openGORM(t, driver, dsn)
		if err := db.Create(&gormUser{Name: "Ada", Email: "ada", Posts: []gormPost{{Title: "One"}}}).Error; err != nil {
			t.Fatal(err)
		}
		type post struct {
			gormPost
			Body string `gorm:"not null;default:''"`
		}
		migrator := db.Table("posts").Migrator()
		if err := db.Table("posts").AutoMigrate(&post{}); err != nil {
			t.Fatalf("add a column: %v", err)
		}
		if !migrator.HasColumn(&post{}, "body") || migrator.CurrentDatabase() != "main" {
			t.Errorf("no new column in %q", migrator.CurrentDatabase())
		}
		if err := migrator.DropColumn(&post{}, "body"); err != nil {
			t.Fatalf("drop a column: %v", err)
		}
		types, err := migrator.ColumnTypes(&gormPost{})
		if err != nil || len(types) != 3 {
			t.Fatalf("%d columns, %v", len(types), err)
		}
		if pk, ok := types[0].PrimaryKey(); types[0].DatabaseTypeName() != "integer" || !pk || !ok {
			t.Errorf("id: type %q, primary key %v", types[0].DatabaseTypeName(), pk)
		}
		var posts []gormPost
		if err := db.Find(&posts).Error; err != nil || len(posts) != 1 || posts[0].Title != "One" {
			t.Errorf("afterwards: %+v, %v", posts, err)
		}
	})
}

package postgres

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/wigwag-chat/wigwag/internal/pgtest"
	"github.com/wigwag-chat/wigwag/storage/internal/bunstore"
)

// A plan is made once for each connection, perhaps while the tables are empty: it
// must be one that is still good when they hold a million messages.
func TestPlansOfYoungTables(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	if err := Migrate(t.Context(), url, Options{}); err != nil {
		t.Fatal(err)
	}
	opt := Options{}.withDefaults()
	db, err := open(url, opt, opt.StatementTimeout, opt.LockTimeout, opt.AnswerTimeout)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, s := range bunstore.Statements(dialect()) {
		t.Run(s.Name, func(t *testing.T) { checkPlan(t, conn, s) })
	}
}

func checkPlan(t *testing.T, conn *sql.Conn, s *bunstore.Statement) {
	if _, err := conn.ExecContext(t.Context(), fmt.Sprintf("PREPARE %s AS %s", s.Name, s.Text)); err != nil {
		t.Fatal(err)
	}
	none := strings.TrimSuffix(strings.Repeat("'{}',", len(s.In)), ",")
	rows, err := conn.QueryContext(t.Context(), fmt.Sprintf("EXPLAIN EXECUTE %s (%s)", s.Name, none))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var step string
		if err := rows.Scan(&step); err != nil {
			t.Fatal(err)
		}
		for _, slow := range []string{"Seq Scan", "Hash Join", "Merge Join", "Bitmap"} {
			if strings.Contains(step, slow) {
				t.Errorf("%s: %s", s.Name, step)
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

package bunstore

import (
	"context"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/wigwag-chat/wigwag/errs"
)

// list runs a query and returns its rows.
func list[T any](ctx context.Context, db bun.IDB, query string, args ...any) ([]T, error) {
	var rows []T
	err := db.NewRaw(query, args...).Scan(ctx, &rows)
	return rows, err
}

// find returns the first row of a query, or none.
func find[T any](ctx context.Context, db bun.IDB, none error, query string, args ...any) (T, error) {
	rows, err := list[T](ctx, db, query, args...)
	if err == nil && len(rows) == 0 {
		err = none
	}
	if err != nil {
		var zero T
		return zero, err
	}
	return rows[0], nil
}

// exec runs a statement and returns how many rows it touched.
func exec(ctx context.Context, db bun.IDB, query string, args ...any) (int, error) {
	r, err := db.NewRaw(query, args...).Exec(ctx)
	if err != nil {
		return 0, err
	}
	n, err := r.RowsAffected()
	return int(n), err
}

// must makes an error of a statement that did not touch exactly want rows.
func must(want int, n int, err error) error {
	if err == nil && n != want {
		err = errs.New(errs.Internal, "rows_missed", "Not every row was changed.").With("want", want).With("got", n)
	}
	return err
}

// tuples is a list of rows in a statement: (1, 'a'), (2, 'b'). It must not be empty.
type tuples [][]any

// AppendQuery writes the rows.
func (t tuples) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	if len(t) == 0 {
		return nil, errs.New(errs.Internal, "no_rows", "A statement without rows was made.")
	}
	for i, row := range t {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '(')
		for j, v := range row {
			if j > 0 {
				b = append(b, ',')
			}
			b = gen.Append(b, v)
		}
		b = append(b, ')')
	}
	return b, nil
}

// micros is a time as the database holds it. The zero time is a number like
// any other, so that it comes back as the zero time.
func micros(t time.Time) int64 { return t.UnixMicro() }

// moment is the time that micros wrote.
func moment(n int64) time.Time { return time.UnixMicro(n).UTC() }

// never is the zero time in micros.
const never = -62135596800000000

// orNull is s, or NULL for "", in columns whose values are unique where there are any.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// blob is b for a column that is never NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

package bunstore

import (
	"context"
	"database/sql"
)

// sqlPipe runs prepared statements through database/sql, once a row of input: the
// database is in this process, so there are no round trips to save.
type sqlPipe struct {
	tx       *sql.Tx
	prepared func(*Statement) *sql.Stmt
}

// Run implements Pipe, but for commit: the transaction is someone else's to end.
// A statement works for microseconds on one row, so ctx is asked between them.
func (p *sqlPipe) Run(ctx context.Context, _ bool, calls ...*Call) error {
	for _, c := range calls {
		if c.Rows > 0 {
			if err := p.run(ctx, c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *sqlPipe) run(ctx context.Context, c *Call) error {
	whole := context.WithoutCancel(ctx) // the driver watches a context that can end, by a goroutine a statement
	stmt := p.tx.StmtContext(whole, p.prepared(c.Statement))
	defer stmt.Close()
	args := make([]any, len(c.In))
	for i := range c.Rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		for j := range args {
			args[j] = c.Values[j].at(c.In[j].Kind, i)
		}
		if c.Each != nil {
			if err := query(whole, stmt, args, c.Each); err != nil {
				return err
			}
			c.Affected++
			continue
		}
		result, err := stmt.ExecContext(whole, args...)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return err
		}
		c.Affected += int(n)
	}
	return nil
}

func (v *Values) at(kind Kind, row int) any {
	switch {
	case kind == Text:
		return v.Text[row]
	case kind == Int:
		return v.Int[row]
	case v.Blob[row] == nil:
		return nil
	}
	return v.Blob[row]
}

func query(ctx context.Context, stmt *sql.Stmt, args []any, each func(Row)) error {
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var row sqlRow
	var into []any
	for rows.Next() {
		if row == nil {
			names, err := rows.Columns()
			if err != nil {
				return err
			}
			row, into = make(sqlRow, len(names)), make([]any, len(names))
			for i := range row {
				into[i] = &row[i]
			}
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		each(row)
	}
	return rows.Err()
}

// sqlRow is a row as database/sql gives it. The types are those of the columns.
type sqlRow []any

func (r sqlRow) Text(column int) string { s, _ := r[column].(string); return s }
func (r sqlRow) Int(column int) int64   { n, _ := r[column].(int64); return n }
func (r sqlRow) Blob(column int) []byte { b, _ := r[column].([]byte); return b }

// Bool is true or false, or 1 or 0: SQLite has no type of its own for it.
func (r sqlRow) Bool(column int) bool {
	b, is := r[column].(bool)
	return is && b || !is && r.Int(column) != 0
}

// prepare prepares the statements of a batch, before the first one.
func (s *Store) prepare(ctx context.Context) error {
	for _, statement := range s.statements.all() {
		if s.prepared[statement] != nil {
			continue
		}
		stmt, err := s.writer.DB.PrepareContext(ctx, statement.Text) //nolint:sqlclosecheck // Close does
		if err != nil {
			return err
		}
		s.prepared[statement] = stmt
	}
	return nil
}

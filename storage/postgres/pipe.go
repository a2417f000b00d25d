package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/wigwag-chat/wigwag/storage/internal/bunstore"
)

// pipe is a transaction whose statements go to the server together, prepared, with
// their input as one binary array a column (the protocol's pipelining, PostgreSQL
// documentation, section 55.2.4).
type pipe struct {
	conn          *pgx.Conn
	begin, commit *pgconn.StatementDescription
	begun         bool
}

// withPipe runs fn with a pipe on a connection of the pool.
func withPipe(ctx context.Context, conn *sql.Conn, reads bool, fn func(bunstore.Pipe) error) error {
	return conn.Raw(func(driverConn any) error {
		c := driverConn.(*stdlib.Conn).Conn()
		name, begin := "wigwag_begin", "BEGIN"
		if reads {
			name, begin = "wigwag_begin_reading", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
		}
		p := &pipe{conn: c}
		var err error
		if p.begin, err = c.Prepare(ctx, name, begin); err != nil {
			return err
		}
		if p.commit, err = c.Prepare(ctx, "wigwag_commit", "COMMIT"); err != nil {
			return err
		}
		err = fn(p)
		if c.PgConn().TxStatus() == 'I' {
			return err
		}
		// Locks are held until the server knows that it is over.
		if _, undone := c.PgConn().Exec(ctx, "ROLLBACK").ReadAll(); undone != nil {
			return errors.Join(err, c.Close(ctx), driver.ErrBadConn)
		}
		return err
	})
}

// Run implements bunstore.Pipe.
func (p *pipe) Run(ctx context.Context, commit bool, calls ...*bunstore.Call) error {
	var b pgconn.Batch
	binaryFormat := []int16{pgx.BinaryFormatCode} // of all
	if !p.begun {
		b.ExecStatement(p.begin, nil, nil, nil)
	}
	for _, c := range calls {
		if c.Rows == 0 {
			continue
		}
		s, err := p.conn.Prepare(ctx, c.Name, c.Text) // known to the connection, but for the first time
		if err != nil {
			return err
		}
		b.ExecStatement(s, params(c), binaryFormat, binaryFormat)
	}
	if commit {
		b.ExecStatement(p.commit, nil, nil, nil)
	}
	results := p.conn.PgConn().ExecBatch(ctx, &b)
	if !p.begun {
		p.begun = true
		results.NextResult()
	}
	for _, c := range calls {
		if c.Rows > 0 && results.NextResult() {
			read(results.ResultReader(), c)
		}
	}
	return results.Close() // with the first error, and with what became of the commit
}

func read(result *pgconn.ResultReader, c *bunstore.Call) {
	for result.NextRow() {
		if c.Each != nil {
			c.Each(row(result.Values()))
		}
	}
	if tag, err := result.Close(); err == nil { // else the batch tells
		c.Affected = int(tag.RowsAffected())
	}
}

// row is a row in the binary format.
type row [][]byte

func (r row) Text(column int) string { return string(r[column]) }
func (r row) Int(column int) int64   { return int64(binary.BigEndian.Uint64(r[column])) }
func (r row) Bool(column int) bool   { return r[column][0] != 0 }
func (r row) Blob(column int) []byte { return r[column] }

// given unnests the columns of input.
func given(columns []bunstore.Column) string {
	types := map[bunstore.Kind]string{bunstore.Text: "text", bunstore.Int: "bigint", bunstore.Blob: "bytea"}
	arrays, names := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		arrays[i], names[i] = fmt.Sprintf("$%d::%s[]", i+1, types[c.Kind]), c.Name
	}
	return "unnest(" + strings.Join(arrays, ", ") + ") AS v (" + strings.Join(names, ", ") + ")"
}

// params encodes the columns of input as arrays in the binary format.
func params(c *bunstore.Call) [][]byte {
	out := make([][]byte, len(c.In))
	for i, column := range c.In {
		switch v := &c.Values[i]; column.Kind {
		case bunstore.Text:
			size := 0
			for _, s := range v.Text {
				size += 4 + len(s)
			}
			b := array(pgtype.TextOID, len(v.Text), size)
			for _, s := range v.Text {
				b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
				b = append(b, s...)
			}
			out[i] = b
		case bunstore.Int:
			b := array(pgtype.Int8OID, len(v.Int), 12*len(v.Int))
			for _, n := range v.Int {
				b = binary.BigEndian.AppendUint32(b, 8)
				b = binary.BigEndian.AppendUint64(b, uint64(n))
			}
			out[i] = b
		case bunstore.Blob:
			out[i] = blobs(v.Blob)
		}
	}
	return out
}

func blobs(values [][]byte) []byte {
	size := 0
	for _, v := range values {
		size += 4 + len(v)
	}
	b := array(pgtype.ByteaOID, len(values), size)
	for _, v := range values {
		if v == nil {
			b = binary.BigEndian.AppendUint32(b, 0xFFFFFFFF) // NULL
			continue
		}
		b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
		b = append(b, v...)
	}
	return b
}

// array begins an array of one dimension, from index 1, with room for its
// elements: their number of dimensions, whether there may be NULLs, their type.
func array(oid uint32, n, size int) []byte {
	b := make([]byte, 0, 20+size)
	for _, v := range [...]uint32{1, 1, oid, uint32(n), 1} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

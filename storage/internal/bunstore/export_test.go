package bunstore

import (
	"context"
	"database/sql"

	"github.com/uptrace/bun"
)

// Trace calls fn with every statement before it runs.
func (s *Store) Trace(fn func(query string)) {
	s.writer.AddQueryHook(tracer(fn))
	if s.reader != s.writer {
		s.reader.AddQueryHook(tracer(fn))
	}
}

// Reader is the pool that reads.
func (s *Store) Reader() *sql.DB { return s.reader.DB }

type tracer func(string)

func (t tracer) BeforeQuery(ctx context.Context, e *bun.QueryEvent) context.Context {
	t(e.Query)
	return ctx
}

func (tracer) AfterQuery(context.Context, *bun.QueryEvent) {}

package bunstore

import (
	"context"
	"database/sql"

	"github.com/uptrace/bun"
)

// Trace calls fn with every statement before it runs. No call may be under way.
func (s *Store) Trace(fn func(query string)) {
	shared := s.reader == s.writer
	s.writer = s.writer.WithQueryHook(tracer(fn))
	if shared {
		s.reader = s.writer
	} else {
		s.reader = s.reader.WithQueryHook(tracer(fn))
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

package bunstore

import (
	"context"
	"database/sql"
	"strings"

	"github.com/uptrace/bun"
)

// Trace calls fn with every statement before it runs. No call may be under way.
func (s *Store) Trace(fn func(query string)) {
	s.watched = func(p Pipe) Pipe { return &shownPipe{p, fn, s.dialect.Pipe != nil} }
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

// shownPipe tells of each statement before it runs, those around a transaction too where
// bun does not send them.
type shownPipe struct {
	Pipe
	show   func(string)
	begins bool
}

func (p *shownPipe) Run(ctx context.Context, commit bool, calls ...*Call) error {
	if p.begins {
		p.show("BEGIN")
		p.begins = false
	}
	for _, c := range calls {
		if c.Rows > 0 {
			p.show(strings.ReplaceAll(c.Text, "?", "NULL"))
		}
	}
	if commit {
		p.show("COMMIT")
	}
	return p.Pipe.Run(ctx, commit, calls...)
}

package bunstore

import (
	"cmp"
	"context"
	"database/sql"
	"io"
	"strings"
	"sync"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/messaging"
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

// LoseAnswer lets the next commit that goes through a pipe happen, and its answer
// get lost; meanwhile runs in between. No call may be under way.
func (s *Store) LoseAnswer(meanwhile func()) {
	var once sync.Once
	s.watched = func(p Pipe) Pipe {
		return lossyPipe{p, func() (lost bool) {
			once.Do(func() { lost = true })
			return lost
		}, meanwhile}
	}
}

type lossyPipe struct {
	Pipe
	lose      func() bool
	meanwhile func()
}

func (p lossyPipe) Run(ctx context.Context, commit bool, calls ...*Call) error {
	if !commit || !p.lose() {
		return p.Pipe.Run(ctx, commit, calls...)
	}
	for _, c := range calls {
		c.Each = nil
	}
	if err := p.Pipe.Run(ctx, true, calls...); err != nil {
		return err
	}
	p.meanwhile()
	return io.ErrUnexpectedEOF
}

// Together does messages and marks in one batch.
func (s *Store) Together(ctx context.Context, messages []messaging.NewMessage, marks []messaging.Mark) ([]messaging.Appended, []messaging.Marked, error) {
	var jobs []job
	for i := range messages {
		jobs = append(jobs, job{append: &messages[i]})
	}
	for i := range marks {
		jobs = append(jobs, job{mark: &marks[i]})
	}
	results, err := s.queue.DoAll(ctx, jobs)
	if err != nil {
		return nil, nil, err
	}
	var appended []messaging.Appended
	var marked []messaging.Marked
	for i, r := range results {
		if i < len(messages) {
			r.Value.appended.Err = cmp.Or(r.Err, r.Value.appended.Err)
			appended = append(appended, r.Value.appended)
			continue
		}
		r.Value.marked.Err = cmp.Or(r.Err, r.Value.marked.Err)
		marked = append(marked, r.Value.marked)
	}
	return appended, marked, nil
}

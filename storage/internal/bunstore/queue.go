package bunstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/internal/batch"
	"github.com/wigwag-chat/wigwag/messaging"
)

// job is one write that shares its commit with others: exactly one field is set.
type job struct {
	append *messaging.NewMessage
	mark   *messaging.Mark
	fn     func(context.Context, bun.Tx) error
}

// outcome is what became of a job.
type outcome struct {
	appended messaging.Appended
	repeats  string // the message, of an earlier batch, that appended tells again
	marked   messaging.Marked
}

// do runs jobs and returns a result for each.
func (s *Store) do(ctx context.Context, jobs []job) ([]batch.Result[outcome], error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	if !s.opt.NoGroupCommit || s.dialect.OneWriter {
		return s.queue.DoAll(ctx, jobs)
	}
	results := make([]batch.Result[outcome], len(jobs))
	for i := range jobs {
		one, err := s.run(ctx, jobs[i:i+1])
		if err != nil {
			results[i].Err = err
			continue
		}
		results[i] = one[0]
	}
	return results, nil
}

// run does a batch of jobs in one transaction.
func (s *Store) run(ctx context.Context, jobs []job) ([]batch.Result[outcome], error) {
	if s.dialect.BeforeBatch != nil {
		s.dialect.BeforeBatch(ctx)
	}
	var r *round
	tries := 0
	err := s.retry(ctx, func() error {
		tries++
		r = newRound(s.statements, jobs, s.recent != nil)
		err := s.commit(ctx, r)
		if r.trusting && (errors.Is(err, errDoubt) || s.dialect.Classify(err) == Unique) {
			r = newRound(s.statements, jobs, false)
			err = s.commit(ctx, r)
		}
		// Another node took the client id while we did; now it will be found.
		if err != nil && len(jobs) == 1 && tries < 3 && s.dialect.Classify(err) == Unique {
			return fmt.Errorf("%w: %w", errAgain, err)
		}
		return err
	})
	if err == nil {
		s.repeated(ctx, r.results)
		return r.results, nil
	}
	switch s.dialect.Classify(err) {
	case Transient, Busy, Lost, Refused: // one by one they would fare no better
		return nil, errUnavailable.Because(errors.Join(err, batch.ErrNoIsolation))
	}
	return nil, err
}

// commit does a round in one transaction: through a pipe where the dialect has
// one, else beside the jobs that are functions.
func (s *Store) commit(ctx context.Context, r *round) error {
	verify := func(ctx context.Context) bool { return s.stored(ctx, r.results) }
	if s.dialect.Pipe != nil {
		return s.pipeline(ctx, r, verify)
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	err := s.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		pipe := s.watched(&sqlPipe{tx: tx.Tx, prepared: func(st *Statement) *sql.Stmt { return s.prepared[st] }})
		if err := s.here(ctx, pipe, r); err != nil {
			return err
		}
		return s.runFuncs(ctx, tx, r.jobs, r.results)
	}, verify)
	switch {
	case err != nil:
		s.recent.forget()
	case len(r.heads) > 0:
		s.recent.keep(r)
	}
	return err
}

// here does the messages and marks of a round on a database of one writer.
func (s *Store) here(ctx context.Context, pipe Pipe, r *round) error {
	if len(r.heads) == 0 {
		return nil
	}
	if err := s.recent.serve(ctx, pipe, r); err != nil {
		return err
	}
	if err := pipe.Run(ctx, false, r.reads()...); err != nil {
		return err
	}
	writes := r.decide()
	if r.doubt {
		return errDoubt
	}
	if err := pipe.Run(ctx, false, writes...); err != nil {
		return err
	}
	if err := r.settle(); err != nil {
		return err
	}
	left, err := readStamp(ctx, pipe, r.stamp)
	r.left = left
	return err
}

// errDoubt ends the try of a round that must know its senders' names after all.
var errDoubt = errors.New("bunstore: a name may be known")

// errAgain asks for another try.
var errAgain = errors.New("bunstore: again")

// runFuncs runs the jobs that are functions, each isolated from the others.
func (s *Store) runFuncs(ctx context.Context, tx bun.Tx, jobs []job, results []batch.Result[outcome]) error {
	for i, j := range jobs {
		if j.fn == nil {
			continue
		}
		if len(jobs) == 1 {
			return j.fn(ctx, tx)
		}
		if _, err := exec(ctx, tx, "SAVEPOINT job"); err != nil {
			return err
		}
		err := j.fn(ctx, tx)
		if err != nil {
			if !isKind(err) { // of the database: it may have undone everything
				return fmt.Errorf("job %d of %d: %w", i+1, len(jobs), err)
			}
			results[i].Err = err
			if _, err := exec(ctx, tx, "ROLLBACK TO job"); err != nil {
				return err
			}
		}
		if _, err := exec(ctx, tx, "RELEASE job"); err != nil {
			return err
		}
	}
	return nil
}

// stored reports whether a message of the batch can be seen. All or none can.
func (s *Store) stored(ctx context.Context, results []batch.Result[outcome]) bool {
	for _, r := range results {
		m := r.Value.appended
		if r.Err != nil || m.Err != nil || m.Repeated || m.Message.ID == "" {
			continue
		}
		n := 0
		err := s.retry(ctx, func() error {
			rows, err := list[int](ctx, s.writer, "SELECT 1 FROM messages WHERE id = ?", m.Message.ID)
			n = len(rows)
			return err
		})
		return err == nil && n > 0
	}
	return false
}

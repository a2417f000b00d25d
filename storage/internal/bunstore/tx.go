package bunstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/internal/batch"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage"
)

const (
	maxTries = 8                      // of a transaction
	maxRetry = 10 * time.Second       // after which there is no further try
	firstTry = 5 * time.Millisecond   // wait before the second
	lastTry  = 500 * time.Millisecond // longest wait
)

var (
	errUnavailable = errs.New(errs.Unavailable, "storage_unavailable", "The storage cannot answer now.")
	// errUnknown: the connection broke while the commit was on its way.
	errUnknown = messaging.ErrOutcomeUnknown
)

// read runs fn on one snapshot. fn may run several times.
func (s *Store) read(ctx context.Context, fn func(context.Context, bun.IDB) error) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	err := s.retry(ctx, func() error {
		return s.reader.RunInTx(ctx, s.dialect.Snapshot, func(ctx context.Context, tx bun.Tx) error {
			return fn(ctx, tx)
		})
	})
	return s.public(ctx, err)
}

// readOne runs fn, which makes a single statement: that is its snapshot.
func (s *Store) readOne(ctx context.Context, fn func(context.Context, bun.IDB) error) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	return s.public(ctx, s.retry(ctx, func() error { return fn(ctx, s.reader) }))
}

// write runs fn in a transaction and returns after its commit: with concurrent
// writes on a database of one writer, else by itself. fn may run several times;
// when it fails nothing of it is kept.
func (s *Store) write(ctx context.Context, fn func(context.Context, bun.Tx) error) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if s.dialect.OneWriter {
		_, err := s.queue.Do(ctx, job{fn: fn})
		return s.public(ctx, err)
	}
	return s.public(ctx, s.retry(ctx, func() error { return s.transact(ctx, fn, nil) }))
}

// retry runs fn until it succeeds or fails for good. Unavailable databases are
// asked a few times, then given up.
func (s *Store) retry(ctx context.Context, fn func() error) error {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = firstTry, lastTry
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := fn()
		if err != nil && !s.retriable(ctx, err) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(wait), backoff.WithMaxTries(maxTries), backoff.WithMaxElapsedTime(maxRetry))
	if p, ok := errors.AsType[*backoff.PermanentError](err); ok {
		err = p.Unwrap()
	}
	return err
}

func (s *Store) retriable(ctx context.Context, err error) bool {
	if ctx.Err() != nil || isKind(err) {
		return false
	}
	if errors.Is(err, errAgain) {
		return true
	}
	switch s.dialect.Classify(err) {
	case Transient, Busy, Lost:
		return true
	}
	return false
}

// transact runs fn in one transaction. After a commit of which nobody knows the
// outcome it asks verify, and reports success only when that is sure.
func (s *Store) transact(ctx context.Context, fn func(context.Context, bun.Tx) error, verify func(context.Context) bool) error {
	var tx bun.Tx
	_, cancel, err := s.begin(ctx, func(whole context.Context) (err error) {
		tx, err = s.writer.BeginTx(whole, nil)
		return err
	})
	if err != nil {
		return err
	}
	defer cancel()
	if err := fn(ctx, tx); err != nil {
		_ = tx.Rollback() // what matters is err; a lost connection has rolled back
		return err
	}
	if err := ctx.Err(); err != nil {
		_ = tx.Rollback()
		return err
	}
	return s.committed(ctx, tx.Commit(), verify)
}

// pipeline does a round in a transaction of two round trips.
func (s *Store) pipeline(ctx context.Context, r *round, verify func(context.Context) bool) error {
	var conn *sql.Conn
	whole, cancel, err := s.begin(ctx, func(whole context.Context) (err error) {
		conn, err = s.writer.DB.Conn(whole)
		return err
	})
	if err != nil {
		return err
	}
	defer cancel()
	onItsWay := false
	err = s.dialect.Pipe(whole, conn, false, func(pipe Pipe) error {
		pipe = s.watched(pipe)
		if err := pipe.Run(ctx, false, r.reads()...); err != nil {
			return err
		}
		writes := r.decide()
		if err := ctx.Err(); err != nil {
			return err
		}
		onItsWay = true
		return pipe.Run(whole, true, writes...)
	})
	if closed := conn.Close(); err == nil && !errors.Is(closed, sql.ErrConnDone) {
		err = closed
	}
	switch {
	case err == nil:
		return r.settle()
	case !onItsWay:
		return err
	}
	if err := s.committed(ctx, err, verify); err != nil {
		return err
	}
	if err := s.recall(ctx, r); err != nil { // the answer that was lost had them
		return errUnknown.Because(errors.Join(err, batch.ErrNoIsolation)) // nothing may be done twice
	}
	return nil
}

// begin gets what a transaction needs, and the context that it runs under: the
// commit must not be torn by the caller's going away, but it may not last
// forever either. Waiting for a connection tears nothing: until it is had, the
// caller's end counts.
func (s *Store) begin(ctx context.Context, get func(context.Context) error) (context.Context, context.CancelFunc, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opt.WriteTimeout)
	stop := context.AfterFunc(ctx, cancel)
	err := get(whole)
	if !stop() { // he has gone, and what was got with him
		err = ctx.Err()
	}
	if err != nil {
		cancel()
		return nil, nil, err
	}
	return whole, cancel, nil
}

// committed tells what a commit's error means.
func (s *Store) committed(ctx context.Context, err error, verify func(context.Context) bool) error {
	if err == nil || s.known(err) {
		return err
	}
	if verify != nil {
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opt.WriteTimeout)
		defer cancel()
		if verify(after) {
			return nil
		}
	}
	return errUnknown.Because(errors.Join(err, batch.ErrNoIsolation))
}

// known reports whether a failed commit certainly did not happen.
func (s *Store) known(err error) bool {
	switch s.dialect.Classify(err) {
	case Transient, Unique, Full, Busy, Refused, Wrong:
		return true
	}
	return false
}

// public makes of an error what the contract promises.
func (s *Store) public(ctx context.Context, err error) error {
	if err == nil || isKind(err) {
		return err
	}
	if e := ctx.Err(); e != nil { // drivers do not always wrap it
		if errors.Is(err, e) {
			return err
		}
		return fmt.Errorf("%w: %w", e, err)
	}
	if errors.Is(err, sql.ErrConnDone) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return errUnavailable.Because(opaque{err})
	}
	switch s.dialect.Classify(err) {
	case Full:
		return storage.ErrFull.Because(err)
	case Transient, Busy, Lost, Refused:
		return errUnavailable.Because(err)
	}
	return fmt.Errorf("storage: %w", err)
}

// isKind reports whether err was typed already.
func isKind(err error) bool {
	_, ok := errors.AsType[*errs.Error](err)
	return ok
}

// opaque is a cause that errors.Is does not look into: a limit of the store's
// own must not look like the end of the caller's context.
type opaque struct{ err error }

func (o opaque) Error() string { return o.err.Error() }

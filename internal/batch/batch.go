// Package batch gathers concurrent calls into batches (group commit).
package batch

import (
	"context"
	"errors"
	"time"

	"github.com/wigwag-chat/wigwag/errs"
)

var (
	ErrClosed      = errs.New(errs.Unavailable, "closed", "The service is shutting down.")
	ErrOverloaded  = errs.New(errs.Unavailable, "overloaded", "Too much is waiting; try again soon.")
	ErrNoIsolation = errors.New("batch: the outcome of the whole batch stands")
)

type Options struct {
	MaxItems   int
	MaxWaiting int
	Timeout    time.Duration
	Workers    int
}
type Result[O any] struct {
	Value O
	Err   error
}
type Queue[I, O any] struct{}

func New[I, O any](opt Options, run func(ctx context.Context, items []I) ([]Result[O], error)) *Queue[I, O] {
	panic("soon")
}
func (q *Queue[I, O]) Do(ctx context.Context, item I) (O, error)                 { panic("soon") }
func (q *Queue[I, O]) DoAll(ctx context.Context, items []I) ([]Result[O], error) { panic("soon") }
func (q *Queue[I, O]) Close() error                                              { panic("soon") }

// Package limit keeps limits by key, in process.
package limit

import "time"

type Rate struct {
	Events int
	Per    time.Duration
	Burst  int
}
type Options struct {
	Keys int
	Now  func() time.Time
}
type Limiter struct{}

func New(rate Rate, opt Options) *Limiter       { panic("soon") }
func (l *Limiter) Allow(key string) error       { panic("soon") }
func (l *Limiter) Take(key string, n int) error { panic("soon") }
func (l *Limiter) Refund(key string)            { panic("soon") }

type BackoffRule struct {
	Free      int
	Base, Max time.Duration
}
type Backoff struct{}

func NewBackoff(rule BackoffRule, opt Options) *Backoff { panic("soon") }
func (b *Backoff) Check(key string) error               { panic("soon") }
func (b *Backoff) Fail(key string)                      { panic("soon") }
func (b *Backoff) Success(key string)                   { panic("soon") }

package limit_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/internal/limit"
)

func Example() {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	opt := limit.Options{Now: func() time.Time { return now }} // default: the real clock

	logins := limit.New(limit.Rate{Events: 2, Per: time.Minute}, opt)
	for range 3 {
		err := logins.Allow("192.0.2.7")
		if e, ok := errors.AsType[*errs.Error](err); ok {
			fmt.Println(e.Code(), e.RetryAfter())
		}
	}

	failures := limit.NewBackoff(limit.BackoffRule{Free: 1, Base: time.Second, Max: time.Hour}, opt)
	for range 4 {
		failures.Fail("ada")
	}
	e, _ := errors.AsType[*errs.Error](failures.Check("ada"))
	fmt.Println(e.Code(), e.RetryAfter())
	// Output:
	// rate_limited 30s
	// rate_limited 4s
}

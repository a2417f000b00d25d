package limit

import (
	"fmt"
	"testing"
	"time"
)

// However many keys come, punished or not, no more are kept than the bound says,
// and idle ones go without anyone cleaning.
func TestBound(t *testing.T) {
	const keys = 100
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	opt := Options{Keys: keys, Now: func() time.Time { return now }}
	l := New(Rate{Events: 1, Per: time.Minute}, opt)
	b := NewBackoff(BackoffRule{Free: 1, Base: time.Minute, Max: time.Minute}, opt)
	sizes := func() []int {
		return []int{l.fresh.EstimatedSize(), l.refused.EstimatedSize(), b.free.EstimatedSize(), b.waiting.EstimatedSize()}
	}
	for i := range 20 * keys {
		for range 1 + i%2 {
			l.Allow(fmt.Sprint(i))
			b.Fail(fmt.Sprint(i))
		}
		for name, n := range sizes() {
			if n > keys+1 {
				t.Fatalf("cache %d holds %d keys", name, n)
			}
		}
	}
	now = now.Add(time.Hour)
	for range 2 {
		l.Allow("late")
		b.Fail("late")
	}
	for name, n := range sizes() {
		if n > 1 {
			t.Errorf("cache %d still holds %d keys", name, n)
		}
	}
}

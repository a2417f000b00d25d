package batch_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag/internal/batch"
)

// BenchmarkDo has 64 callers; a run costs a fixed time, as a commit does.
func BenchmarkDo(b *testing.B) {
	const callers = 64
	for name, cost := range map[string]time.Duration{"free": 0, "commit=200us": 200 * time.Microsecond} {
		b.Run(name, func(b *testing.B) {
			var batches atomic.Int64
			out := make([]batch.Result[int], callers)
			q := batch.New(batch.Options{}, func(_ context.Context, items []int) ([]batch.Result[int], error) {
				batches.Add(1)
				if cost > 0 {
					time.Sleep(cost)
				}
				return out[:len(items)], nil
			})
			defer q.Close()
			b.ReportAllocs()
			var wg sync.WaitGroup
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ResetTimer()
			for range callers {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						if _, err := q.Do(context.Background(), 1); err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/float64(batches.Load()), "items/batch")
		})
	}
}

package batch_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/wigwag-chat/wigwag/internal/batch"
)

// One commit carries whatever waits for it.
func Example() {
	q := batch.New(batch.Options{}, func(_ context.Context, items []string) ([]batch.Result[string], error) {
		results := make([]batch.Result[string], len(items)) // one transaction here
		for i, item := range items {
			results[i].Value = strings.ToUpper(item)
		}
		return results, nil
	})
	defer q.Close()
	got, err := q.Do(context.Background(), "hello")
	fmt.Println(got, err)
	// Output: HELLO <nil>
}

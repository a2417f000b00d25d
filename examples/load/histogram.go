package main

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// A histogram counts durations in log-linear buckets: exact below 256 ns, above
// it 128 to each power of two, so that a bucket is less than 0.8 % wide. What is
// longer than 18 minutes counts as that. Safe for concurrent use.
type histogram struct {
	buckets [bucketCount]atomic.Uint64
}

const (
	subBits     = 7 // 128 buckets to a power of two
	maxValue    = 1<<40 - 1
	bucketCount = (40-subBits)<<subBits + 1<<subBits
)

// counts is a histogram at one moment, or the difference of two.
type counts []uint64

func bucketOf(d time.Duration) int {
	v := uint64(min(max(d, 0), maxValue))
	if v < 2<<subBits {
		return int(v)
	}
	shift := bits.Len64(v) - subBits - 1
	return shift<<subBits + int(v>>shift)
}

// middle is the duration in the middle of a bucket.
func middle(bucket int) time.Duration {
	if bucket < 2<<subBits {
		return time.Duration(bucket)
	}
	shift := bucket>>subBits - 1
	low := uint64(bucket-shift<<subBits) << shift
	return time.Duration(low + 1<<shift/2)
}

func (h *histogram) record(d time.Duration) { h.buckets[bucketOf(d)].Add(1) }

// snapshot copies the counts. What is recorded meanwhile is in it or not.
func (h *histogram) snapshot() counts {
	c := make(counts, bucketCount)
	for i := range h.buckets {
		c[i] = h.buckets[i].Load()
	}
	return c
}

// since returns what was recorded after an earlier snapshot; nil is an empty one.
func (c counts) since(earlier counts) counts {
	if earlier == nil {
		return c
	}
	diff := make(counts, len(c))
	for i := range c {
		diff[i] = c[i] - earlier[i]
	}
	return diff
}

func (c counts) total() (n uint64) {
	for _, count := range c {
		n += count
	}
	return n
}

// quantile returns the duration that a share q, from 0 to 1, does not exceed:
// the nearest rank, within 0.4 %. It is 0 when nothing was recorded.
func (c counts) quantile(q float64) time.Duration {
	rank := max(1, uint64(math.Ceil(q*float64(c.total()))))
	for i, n := range c {
		if n >= rank {
			return middle(i)
		}
		rank -= n
	}
	return 0
}

// summary is what is told of a distribution, in milliseconds.
type summary struct {
	Count uint64  `json:"count"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p999"`
	Max   float64 `json:"max"`
}

func (c counts) summary() summary {
	at := func(q float64) float64 { return float64(c.quantile(q)) / float64(time.Millisecond) }
	return summary{Count: c.total(), P50: at(0.5), P90: at(0.9), P99: at(0.99), P999: at(0.999), Max: at(1)}
}

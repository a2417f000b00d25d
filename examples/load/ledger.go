package main

import (
	"sync/atomic"
	"time"
)

// ledger remembers every message of one sender, so that each acknowledgement can
// be held against what arrived.
type ledger struct {
	sent   atomic.Int64 // messages begun: their numbers are below
	chunks [maxChunks]atomic.Pointer[[chunkSize]record]
}

const (
	chunkSize = 1024
	maxChunks = 4096
)

// record is one message. due is set before it is sent; the id is that of the
// acknowledgement or of the first delivery, whichever came first.
type record struct {
	due atomic.Int64  // nanoseconds since the load began
	id  atomic.Uint64 // hash, 0 while unknown
	seq atomic.Int64  // of the acknowledgement, 0 before any answer
}

// refusedSeq stands for an answer that is an error.
const refusedSeq = -1

// begin gives out the next number; false when the ledger, of four million
// messages, is full. One goroutine calls it.
func (l *ledger) begin(due time.Duration) (n int, ok bool) {
	n = int(l.sent.Load())
	if n == maxChunks*chunkSize {
		return 0, false
	}
	chunk := l.chunks[n/chunkSize].Load()
	if chunk == nil {
		chunk = new([chunkSize]record)
		l.chunks[n/chunkSize].Store(chunk)
	}
	chunk[n%chunkSize].due.Store(int64(due))
	l.sent.Add(1)
	return n, true
}

// record returns the record of a message; nil when there is none such.
func (l *ledger) record(n int) *record {
	if n < 0 || n >= int(l.sent.Load()) {
		return nil
	}
	return &l.chunks[n/chunkSize].Load()[n%chunkSize]
}

// is reports whether a message has this id, and notes the first one told.
func (r *record) is(id uint64) bool {
	return r.id.CompareAndSwap(0, id) || r.id.Load() == id
}

// heard is the set of messages of one sender that one connection got.
type heard []uint64

// add reports whether n is new.
func (h *heard) add(n int) bool {
	for n/64 >= len(*h) {
		*h = append(*h, 0)
	}
	if h.has(n) {
		return false
	}
	(*h)[n/64] |= 1 << (n % 64)
	return true
}

func (h heard) has(n int) bool { return n/64 < len(h) && h[n/64]&(1<<(n%64)) != 0 }

// accounting is what became of all messages, the warm-up's included.
type accounting struct {
	Sent         int64 `json:"sent"`
	Acknowledged int64 `json:"acknowledged"`
	Refused      int64 `json:"refused"`      // answered by an error
	Unanswered   int64 `json:"unanswered"`   // when the run ended
	Expected     int64 `json:"expected"`     // deliveries of what was acknowledged
	Delivered    int64 `json:"delivered"`    // of these
	Missing      int64 `json:"missing"`      // of these
	Resumed      int64 `json:"resumed"`      // connections that broke, and came back
	Unasked      int64 `json:"unasked"`      // deliveries of what was not acknowledged
	Duplicates   int64 `json:"duplicates"`   // delivered once more to the same connection
	OutOfOrder   int64 `json:"outOfOrder"`   // with a sequence below one that came before
	Receipts     int64 `json:"receipts"`     // that the server took
	Contradicted int64 `json:"contradicted"` // with another id than the acknowledgement's, or never sent
}

// settle holds one connection's deliveries of one sender against the ledger.
func (a *accounting) settle(l *ledger, h heard) {
	for n := range int(l.sent.Load()) {
		acked := l.record(n).seq.Load() > 0
		switch {
		case acked:
			a.Expected++
			if h.has(n) {
				a.Delivered++
			} else {
				a.Missing++
			}
		case h.has(n):
			a.Unasked++
		}
	}
}

package bunstore

import "context"

// recent is what the last batches left of heads and spans, on a database with one
// writer, so that the next one need not read them. It belongs to the queue's one
// worker, and holds as long as the database's stamp is the one that they left.
type recent struct {
	stamp stamp
	heads map[string]*headState
	spans map[place]*spanRow
}

// stamp tells of a connection's database whether others have changed it, and how
// much the connection itself has: one that took another's place, nothing yet.
type stamp struct{ others, own int64 }

// maxRecent bounds both maps; beyond it everything is forgotten.
const maxRecent = 10_000

func newRecent() *recent {
	return &recent{heads: make(map[string]*headState), spans: make(map[place]*spanRow)}
}

func (m *recent) forget() {
	clear(m.heads)
	clear(m.spans)
}

// serve gives a round, in its transaction, what is known of its heads and spans.
// The round changes them: forget it all when the round fails.
func (m *recent) serve(ctx context.Context, pipe Pipe, r *round) error {
	if len(m.heads) == 0 {
		return nil
	}
	now, err := readStamp(ctx, pipe, r.stamp)
	if err != nil {
		return err
	}
	if now != m.stamp {
		m.forget()
		return nil
	}
	for id := range r.heads {
		if h := m.heads[id]; h != nil {
			h.changed, h.oldSeq, h.oldOrdinal = false, h.seq, h.ordinal
			r.heads[id] = h
		}
	}
	for p := range r.spans {
		r.spans[p] = m.spans[p]
	}
	return nil
}

// keep remembers how a round that was committed left its heads and spans, unless
// on a connection that has changed nothing yet: the next new one has the same stamp.
func (m *recent) keep(r *round) {
	if r.left.own == 0 {
		m.forget()
		return
	}
	if len(m.heads)+len(r.heads) > maxRecent || len(m.spans)+len(r.spans) > maxRecent {
		m.forget()
	}
	m.stamp = r.left
	for id, h := range r.heads {
		if h != nil {
			m.heads[id] = h
		}
	}
	for p, span := range r.spans {
		if span != nil {
			m.spans[p] = span
		}
	}
}

// readStamp asks for the stamp in a transaction.
func readStamp(ctx context.Context, pipe Pipe, st *Statement) (now stamp, err error) {
	c := st.call(1, func(row Row) { now = stamp{row.Int(0), row.Int(1)} })
	c.Rows = 1
	err = pipe.Run(ctx, false, c)
	return now, err
}

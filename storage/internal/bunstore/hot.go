package bunstore

import (
	"context"
	"strings"
)

// Kind is the type of a column that a prepared statement is given.
type Kind int

// The kinds.
const (
	Text Kind = iota
	Int
	Blob // nil is NULL
)

// Column is one column of a statement's input.
type Column struct {
	Name string
	Kind Kind
}

// Statement is one of the few that the way of a message is made of. It is prepared
// once a connection, and works on many rows of input at a time: those are the
// relation v of its text.
type Statement struct {
	Name string
	Text string
	In   []Column
}

// Values is one column of input; the slice of its kind is as long as there are rows.
type Values struct {
	Text []string
	Int  []int64
	Blob [][]byte
}

// Call is a statement with its input, and what became of it.
type Call struct {
	*Statement
	Rows     int         // of input; without any the statement does not run
	Values   []Values    // a column each
	Each     func(r Row) // is told each row of the result; nil where there is none
	Affected int         // rows written

	at int // column of the next value
}

// Row is a row of a result. It holds until Each returns, and so does what Blob returns.
type Row interface {
	Text(column int) string
	Int(column int) int64
	Bool(column int) bool
	Blob(column int) []byte
}

// Pipe is a transaction of prepared statements. It belongs to one goroutine.
type Pipe interface {
	// Run does calls in their order, with commit set the commit after them, all in
	// one round trip where there are round trips. After an error nothing of the
	// transaction is kept, unless it was lost on the way to the commit.
	Run(ctx context.Context, commit bool, calls ...*Call) error
}

// statement makes a statement of a text in which {v} stands for the input.
func (d Dialect) statement(name, text string, in ...Column) *Statement {
	return &Statement{Name: "wigwag_" + name, Text: strings.ReplaceAll(text, "{v}", d.Given(in)), In: in}
}

func texts(names ...string) (columns []Column) { return columnsOf(Text, names) }
func ints(names ...string) (columns []Column)  { return columnsOf(Int, names) }
func blobs(names ...string) (columns []Column) { return columnsOf(Blob, names) }

func columnsOf(kind Kind, names []string) []Column {
	columns := make([]Column, len(names))
	for i, name := range names {
		columns[i] = Column{name, kind}
	}
	return columns
}

// call starts a call with room for rows.
func (s *Statement) call(rows int, each func(Row)) *Call {
	c := &Call{Statement: s, Values: make([]Values, len(s.In)), Each: each}
	for i, column := range s.In {
		switch v := &c.Values[i]; column.Kind {
		case Text:
			v.Text = make([]string, 0, rows)
		case Int:
			v.Int = make([]int64, 0, rows)
		case Blob:
			v.Blob = make([][]byte, 0, rows)
		}
	}
	return c
}

// text, int and blob add the next values of a row, which go on with the next row
// after the last column.
func (c *Call) text(values ...string) *Call {
	for _, v := range values {
		column := &c.Values[c.at]
		column.Text = append(column.Text, v)
		c.next()
	}
	return c
}

func (c *Call) int(values ...int64) *Call {
	for _, v := range values {
		column := &c.Values[c.at]
		column.Int = append(column.Int, v)
		c.next()
	}
	return c
}

func (c *Call) blob(values ...[]byte) *Call {
	for _, v := range values {
		column := &c.Values[c.at]
		column.Blob = append(column.Blob, v)
		c.next()
	}
	return c
}

func (c *Call) next() {
	if c.at++; c.at == len(c.Values) {
		c.at = 0
		c.Rows++
	}
}

// wrote makes an error of a call that did not write a row for each of its input.
func (c *Call) wrote() error { return must(c.Rows, c.Affected, nil) }

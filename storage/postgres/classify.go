package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/wigwag-chat/wigwag/storage/internal/bunstore"
)

// classify tells what an error of the driver means, by its SQLSTATE.
func classify(err error) bunstore.Fault {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return classOf(e.Code)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return bunstore.Other // the end of a context looks like a network's timeout
	}
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	_, network := errors.AsType[net.Error](err)
	if connecting || network || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err) {
		return bunstore.Lost
	}
	return bunstore.Other
}

func classOf(code string) bunstore.Fault {
	switch code {
	case "40001", "40P01": // two transactions collided; a deadlock
		return bunstore.Transient
	case "23505": // unique_violation
		return bunstore.Unique
	case "53100": // disk_full
		return bunstore.Full
	case "55P03": // lock_not_available: lock_timeout
		return bunstore.Busy
	case "57P01", "57P02", "57P03", "25P03": // shut down, crashed, starting; idle too long in a transaction
		return bunstore.Lost
	}
	switch code[:min(2, len(code))] {
	case "08":
		return bunstore.Lost
	case "53", "57", "58": // resources, an operator's doing (statement_timeout too), the system
		return bunstore.Refused
	}
	return bunstore.Wrong
}

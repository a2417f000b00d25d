package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"os"
)

// maxLog is the size in bytes at which the write-ahead log is made to start anew.
const maxLog = 32 << 20

// writeAheadLog bounds the log of a database. SQLite starts it anew only where
// it finds a moment without readers; where reads overlap without end there is
// none, and the log would grow with all that is written.
type writeAheadLog struct {
	db   *sql.DB // the writer
	path string
	most int64 // bytes from which on something is done
}

func logOf(ctx context.Context, writer *sql.DB) (*writeAheadLog, error) {
	var path string
	if err := writer.QueryRowContext(ctx, "SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&path); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	return &writeAheadLog{db: writer, path: path + "-wal", most: maxLog}, nil
}

// trim empties a log that has become too long. It waits for the reads that began
// before, as long as the busy timeout; new ones do not hold it up. Where some
// program reads for longer, it tries again when the log has grown by as much again.
func (l *writeAheadLog) trim(ctx context.Context) {
	info, err := os.Stat(l.path)
	if err != nil || info.Size() < l.most { // there is none in other journal modes
		return
	}
	var busy, pages, moved int
	err = l.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
	if err != nil || busy != 0 { // of what is really broken the next write tells
		l.most = info.Size() + maxLog
		return
	}
	l.most = maxLog
}

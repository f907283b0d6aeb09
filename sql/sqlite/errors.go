package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// explain turns an error of SQLite into one that names the file and says what
// to do. The original stays in the chain.
func (s *Store) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := ctx.Err(); cause != nil {
		// SQLite and database/sql report a cancelled statement in many ways.
		if errors.Is(err, cause) {
			return err
		}
		return fmt.Errorf("%w: %w", cause, err)
	}
	var failed *sqlite.Error
	if !errors.As(err, &failed) {
		return err
	}
	if hint := s.hint(failed); hint != "" {
		return fmt.Errorf("%s %s: %w", s.path, hint, err)
	}
	return fmt.Errorf("%s: %w", s.path, err)
}

// hint continues a sentence that begins with the file's name.
func (s *Store) hint(err *sqlite.Error) string {
	switch primary(err) {
	case codes.SQLITE_FULL:
		return "has no room to grow, nothing of this was stored: free space on its disk and try again"
	case codes.SQLITE_READONLY:
		return "cannot be written: make the file and its folder writable for this user, or name another file"
	case codes.SQLITE_CANTOPEN:
		return "cannot be opened: make the file and its folder readable and writable for this user, or name another file"
	case codes.SQLITE_NOTADB:
		return "is not a SQLite database and was left as it is: name another file"
	case codes.SQLITE_CORRUPT:
		return "is damaged: restore it from a backup, or move it away and import again"
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED:
		return fmt.Sprintf("has been written to by another process for more than %v: try again later, or stop that process", s.opts.BusyTimeout)
	case codes.SQLITE_IOERR:
		return "could not be read or written: check its disk"
	case codes.SQLITE_ERROR:
		if strings.Contains(err.Error(), "no such table") || strings.Contains(err.Error(), "no such column") {
			return "has no up-to-date schema: run `livelab migrate`"
		}
	}
	return ""
}

// primary strips the detail from a result code.
func primary(err *sqlite.Error) int { return err.Code() & 0xff }

func isBusy(err error) bool {
	var failed *sqlite.Error
	return errors.As(err, &failed) && primary(failed) == codes.SQLITE_BUSY
}

// isOfData knows the errors that lie in the data: the same rows would be
// refused again.
func isOfData(err error) bool {
	var failed *sqlite.Error
	if !errors.As(err, &failed) {
		return false
	}
	switch primary(failed) {
	case codes.SQLITE_CONSTRAINT, codes.SQLITE_MISMATCH, codes.SQLITE_TOOBIG:
		return true
	}
	return false
}

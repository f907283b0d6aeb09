package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// explain turns an error of the driver into one that names the database and
// says what to do. The original stays in the chain.
func (s *Store) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := ctx.Err(); cause != nil {
		// A cancelled query ends in many ways, a closed connection among them.
		if errors.Is(err, cause) {
			return err
		}
		return fmt.Errorf("%w: %w", cause, err)
	}
	if hint := hint(err); hint != "" {
		return fmt.Errorf("%s: %s: %w", s.target, hint, oneLine{err})
	}
	return fmt.Errorf("%s: %w", s.target, oneLine{err})
}

// oneLine keeps an error on one line: pgx lists its attempts below each other.
// What failed alike with TLS and without it is told once.
type oneLine struct{ err error }

func (e oneLine) Error() string {
	var told []string
	for line := range strings.Lines(e.err.Error()) {
		line = strings.Join(strings.Fields(line), " ")
		if line != "" && !slices.Contains(told, line) {
			told = append(told, line)
		}
	}
	return strings.Join(told, " ")
}

func (e oneLine) Unwrap() error { return e.err }

// hint says what to do about an error, empty where there is nothing to add.
func hint(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return codeHint(refused.Code)
	}
	var dns *net.DNSError
	var connect *pgconn.ConnectError
	switch {
	case errors.As(err, &dns):
		return "the host has no address: check its name"
	case errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded):
		return "no answer in time: check host, port and firewall"
	case errors.As(err, &connect):
		return "cannot connect: check that PostgreSQL runs there and listens"
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || isNetwork(err):
		return "the connection was lost, and what was not committed is not stored: try again"
	}
	return ""
}

func isNetwork(err error) bool {
	var op *net.OpError
	return errors.As(err, &op)
}

// codeHint knows the SQLSTATEs that a person can do something about.
func codeHint(code string) string {
	switch {
	case code == "28P01" || code == "28000":
		return "the login was refused: check user and password"
	case code == "3D000":
		return "the database does not exist: create it, or name another one"
	case code == "3F000":
		return "the schema does not exist: run `livelab migrate`, or check search_path"
	case code == "42P01" || code == "42703":
		return "the schema is not up to date: run `livelab migrate`"
	case code == "42501":
		return "the user may not do this: grant it, or use another user"
	case code == "25006":
		return "the server takes no writes, as a standby does: name the primary one, or check default_transaction_read_only"
	case code == "53100":
		return "the server's disk is full, nothing of this was stored: free space there and try again"
	case code == "53300":
		return "the server has no connection left: raise max_connections, or lower pool_max_conns"
	case strings.HasPrefix(code, "57P"):
		return "the server is starting or shutting down, and what was not committed is not stored: try again"
	}
	return ""
}

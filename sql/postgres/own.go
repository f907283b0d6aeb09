package postgres

import (
	"context"
	"fmt"
	"time"
)

// ownKey names the lock of Own among the advisory locks of the database. The
// schema is part of it, so that two stores in one database do not meet.
const ownKey = "livelab own "

// Own takes the store for this process alone, until release is called or the
// connection that holds the lock is lost. It fails at once where another
// process has it. A process that does not ask can read and write.
func (s *Store) Own(ctx context.Context) (release func() error, err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("own store: %w", s.explain(ctx, err))
	}
	var locked bool
	err = conn.QueryRow(ctx, "SELECT pg_try_advisory_lock(hashtextextended($1 || current_schema(), 0))", ownKey).Scan(&locked)
	if err != nil {
		conn.Release()
		return nil, fmt.Errorf("own store: %w", s.explain(ctx, err))
	}
	if !locked {
		conn.Release()
		return nil, fmt.Errorf("own store: %s is in use by another `livelab up`: stop that one, or name another database", s.target)
	}
	return func() error {
		// The lock ends with its connection.
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return conn.Hijack().Close(ctx)
	}, nil
}

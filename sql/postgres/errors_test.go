package postgres

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestOneLineTellsAttemptsOnce(t *testing.T) {
	t.Parallel()
	err := errors.New("failed to connect to `user=u database=d`:\n\t[::1]:1 (h): refused\n\t127.0.0.1:1 (h): refused\n\t[::1]:1 (h): refused\n")
	const want = "failed to connect to `user=u database=d`: [::1]:1 (h): refused 127.0.0.1:1 (h): refused"
	if got := (oneLine{err}).Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHintTellsAReaderFromAStranger(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{"25006": "standby", "42501": "grant"} {
		if got := hint(&pgconn.PgError{Code: code}); !strings.Contains(got, want) {
			t.Errorf("the hint for %s is %q, want one with %q", code, got, want)
		}
	}
}

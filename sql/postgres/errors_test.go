package postgres

import (
	"errors"
	"testing"
)

func TestOneLineTellsAttemptsOnce(t *testing.T) {
	t.Parallel()
	err := errors.New("failed to connect to `user=u database=d`:\n\t[::1]:1 (h): refused\n\t127.0.0.1:1 (h): refused\n\t[::1]:1 (h): refused\n")
	const want = "failed to connect to `user=u database=d`: [::1]:1 (h): refused 127.0.0.1:1 (h): refused"
	if got := (oneLine{err}).Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

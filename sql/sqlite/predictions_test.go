package sqlite_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"livelab/runtime/predlog"
)

// TestDatabaseRefuses has the database find fault with the data of a row, and
// then be without its table, which is no fault of the data.
func TestDatabaseRefuses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "livelab.db")
	s := reopen(t, path)
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	execute := func(statement string) {
		t.Helper()
		if _, err := other.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	execute("CREATE UNIQUE INDEX one_model ON prediction_log (model)")
	at := time.Unix(1_700_000_000, 0)
	ps := []predlog.Prediction{{ID: uuid.NewString(), At: at, Model: "m"}, {ID: uuid.NewString(), At: at, Model: "m"}}
	if err := s.AddPredictions(t.Context(), ps); !errors.Is(err, predlog.ErrRefused) {
		t.Errorf("error %v does not refuse", err)
	}
	if got, err := s.RecentPredictions(t.Context(), 9); err != nil || len(got) > 0 {
		t.Errorf("of a refused batch %d are stored, %v", len(got), err)
	}
	execute("ALTER TABLE prediction_log RENAME TO elsewhere")
	if err := s.AddPredictions(t.Context(), ps); err == nil || errors.Is(err, predlog.ErrRefused) {
		t.Errorf("without a table: %v, want an error that is no refusal", err)
	}
}

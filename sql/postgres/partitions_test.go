package postgres

import (
	"testing"
	"time"

	"livelab/sql/internal/value"
)

// TestWeekOf compares with the calendar: a week begins on Monday, 00:00 UTC.
func TestWeekOf(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"0001-01-01T00:00:00.000001Z", "1600-02-29T12:00:00Z", "1969-12-28T23:59:59.999999Z", "1969-12-29T00:00:00Z",
		"1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z", "1970-01-04T23:59:59.999999Z", "1970-01-05T00:00:00Z",
		"2024-08-18T23:59:59.999999Z", "2024-08-19T00:00:00Z", "2024-12-31T00:00:00Z", "9999-12-31T23:59:59.999999Z",
	} {
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		w := weekOf(at.UnixMicro())
		days := (int(at.Weekday()) + 6) % 7 // since Monday
		want := at.Truncate(24*time.Hour).AddDate(0, 0, -days)
		if got := time.Unix(w.start(), 0).UTC(); !got.Equal(want) {
			t.Errorf("the week of %s begins at %v, want %v", text, got, want)
		}
		if want := "prediction_log_" + want.Format("20060102"); w.table() != want {
			t.Errorf("its table is %s, want %s", w.table(), want)
		}
	}
}

func TestMissingWeeks(t *testing.T) {
	t.Parallel()
	var p partitions
	rows := func(weeks ...week) (rows []value.Prediction) {
		for _, w := range weeks {
			first := w.start() * microsPerS
			rows = append(rows, value.Prediction{At: first}, value.Prediction{At: first + 1}, value.Prediction{At: (w+1).start()*microsPerS - 1})
		}
		return rows
	}
	check := func(what string, got []week, want ...week) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("%s: missing %v, want %v", what, got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: missing %v, want %v", what, got, want)
			}
		}
	}
	check("none known", p.missing(rows(-2, -1, 0, 7)), -2, -1, 0, 7)
	p.remember([]week{-1, 7})
	check("two known", p.missing(rows(-2, -1, 0, 7)), -2, 0)
	p.forget()
	check("forgotten", p.missing(rows(7)), 7)
}

package postgres_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"livelab/sql/internal/value"
	"livelab/sql/pgtest"
)

// FuzzCheckJSON compares the stores' own check with the judge itself: what it
// lets pass, jsonb has to take. (It may refuse more, such as deep nesting.)
func FuzzCheckJSON(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, ` [1, 2.5e3, -0, "x", null, true] `, `{"a": {"b": [{}]}}`, `"\u00e6\ud83d\udeb2"`, `"\u0000"`, `"\\u0000"`, `"\ud83d"`,
		`"\udeb2"`, `"\ud83d\u0041"`, `"\ud83d\n12345"`, `1e1000`, `1e-1000`, `1e1001`, `-1.5E+0001000`, `0e99999999999`, `[1e-16384]`,
		strings.Repeat("[", 1000) + strings.Repeat("]", 1000), "\"\xff\"", "\"\x7f\"", `"\/\b\f"`, "[\"\u2028\", \"\uFFFF\"]", "1" + strings.Repeat("0", 999),
		"0." + strings.Repeat("1", 998), "0." + strings.Repeat("1", 990) + "e-1000", strings.Repeat("9", 990) + "e1000", "9.9e+", "\ufeff{}",
	} {
		f.Add([]byte(seed))
	}
	conn, err := pgx.Connect(f.Context(), pgtest.URL(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { conn.Close(context.Background()) })
	f.Fuzz(func(t *testing.T, body []byte) {
		if value.CheckJSON(body) != nil {
			return
		}
		if _, err := conn.Exec(t.Context(), "SELECT $1::jsonb", body); err != nil {
			t.Errorf("jsonb refuses what CheckJSON lets pass: %v", err)
		}
	})
}

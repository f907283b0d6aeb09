package value

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"

	"livelab/runtime/predlog"
)

func TestAppendFeatures(t *testing.T) {
	t.Parallel()
	features := predlog.Features{
		Names:  []string{"a", "absent", "b", "c", "d", "e", "f", "g"},
		Values: []float64{4_000_000, math.NaN(), -3.25, math.Inf(1), math.Inf(-1), 1e21, math.Copysign(0, -1), 1e-7},
	}
	const want = `{"a":4000000,"b":-3.25,"c":"Infinity","d":"-Infinity","e":1e+21,"f":-0,"g":1e-07}`
	if got := string(AppendFeatures(nil, features)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, none := range []predlog.Features{{}, {Names: []string{"absent"}, Values: []float64{math.NaN()}}} {
		if got := string(AppendFeatures([]byte("x"), none)); got != "x{}" {
			t.Errorf("%v gives %s, want x{}", none, got)
		}
	}
}

// FuzzAppendFeatures reads what is written with the standard library, for any
// text and number that may be stored.
func FuzzAppendFeatures(f *testing.F) {
	f.Add("temp_2m", 12.5)
	f.Add("", 0.0)
	f.Add("ø \"\\\x01\x1f\x7f\u2028", math.SmallestNonzeroFloat64)
	for _, v := range []float64{math.MaxFloat64, 1 << 53, 1<<53 + 2, -(1 << 53), 1e20, 1e21, 1e-6, 9.9e-7, 0.1 + 0.2, math.Copysign(0, -1)} {
		f.Add("n", v)
	}
	f.Fuzz(func(t *testing.T, name string, v float64) {
		if CheckText("feature", name) != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			t.Skip("no such feature is ever stored: it is refused before")
		}
		text := AppendFeatures(nil, predlog.Features{Names: []string{name, "~"}, Values: []float64{v, 1}})
		var back map[string]float64
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if name != "~" && (len(back) != 2 || !sameBits(back[name], v)) {
			t.Errorf("%q: %v became %s", name, v, text)
		}
	})
}

// TestPredictionsOrder gives a batch in disorder, with what is in it twice.
func TestPredictionsOrder(t *testing.T) {
	t.Parallel()
	id := func(n byte) string { return uuid.UUID{n}.String() }
	at := time.Unix(100, 0)
	rows, err := Predictions([]predlog.Prediction{
		{ID: id(2), At: at.Add(time.Second), Model: "a"},
		{ID: id(9), At: at, Model: "b"},
		{ID: id(2), At: at.Add(time.Second + 999), Model: "c", AsOf: at},
		{ID: id(1), At: at.Add(time.Second), Model: "d", Role: predlog.Shadow, AsOf: at.Add(-time.Second)},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, r := range rows {
		got += fmt.Sprint(r.Model, " ", r.Role, " ", r.At, " ", r.HasAsOf, "; ")
	}
	const want = "b served 100000000 false; d shadow 101000000 true; a served 101000000 false; "
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if age := rows[1].DataAge(); age != 2 {
		t.Errorf("the data is %v s old, want 2", age)
	}
	_, err = Predictions([]predlog.Prediction{{ID: id(1)}})
	if !errors.Is(err, predlog.ErrRefused) {
		t.Errorf("without a time: %v, want a refusal", err)
	}
}

func BenchmarkAppendFeatures(b *testing.B) {
	features := predlog.Features{
		Names: []string{"empty_slots", "free_bikes", "free_ratio", "precipitation",
			"stations_count", "temp_2m", "total_slots", "wind_speed_10m"},
		Values: []float64{3000, 1000, 1000 / 4000.3, 0.1, 271, 12.3, 4000, 3.4},
	}
	var text []byte
	b.ReportAllocs()
	for b.Loop() {
		text = AppendFeatures(text[:0], features)
	}
}

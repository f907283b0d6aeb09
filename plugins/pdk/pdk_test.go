package pdk

import (
	"errors"
	"math"
	"strings"
	"testing"

	"livelab/plugins/abi"
)

func double(in, out []float64) error {
	if in[0] < 0 {
		return errors.New("below zero")
	}
	if in[0] < 1000 {
		out[0] = 2 * in[0]
	}
	return nil
}

var doubling = Transform{
	Name: "doubling", Version: "1.0.0", Doc: "two times\tas \"much\" \\ ÆØÅ",
	Inputs:  []string{"free_bikes", "calendar.hour"},
	Outputs: []Output{{Name: "twice", Doc: "d", Min: 0, Max: 100}, {Name: "open", Min: math.Inf(-1), Max: 0.1}, {Name: "free"}},
	Row:     double,
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	spaced := doubling
	spaced.Doc = "two times as \"much\" \\ ÆØÅ"
	d, err := abi.ParseDescription(spaced.describe())
	if err != nil {
		t.Fatalf("%v\n%s", err, spaced.describe())
	}
	if d.Name != "doubling" || d.Version != "1.0.0" || d.Doc != spaced.Doc {
		t.Errorf("description is %+v", d)
	}
	if len(d.Inputs) != 2 || d.Inputs[0].Name != "free_bikes" || d.Inputs[1].Name != "calendar.hour" {
		t.Errorf("inputs are %+v", d.Inputs)
	}
	twice, open, free := d.Outputs[0], d.Outputs[1], d.Outputs[2]
	if twice.Name != "twice" || twice.Doc != "d" || *twice.Min != 0 || *twice.Max != 100 {
		t.Errorf("an output with bounds is %+v", twice)
	}
	if open.Min != nil || *open.Max != 0.1 {
		t.Errorf("an output open below is %+v", open)
	}
	if free.Min != nil || free.Max != nil {
		t.Errorf("an output without bounds is %+v", free)
	}
}

func TestDescribeEscapes(t *testing.T) {
	t.Parallel()
	if got, want := string(appendMember(nil, "k:", "a\"b\\c\td\x01é")), `k:"a\"b\\c\u0009d\u0001é"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTry(t *testing.T) {
	t.Parallel()
	got, err := doubling.Try([]float64{3, 1}, []float64{4, 1}, []float64{2000, 0})
	if err != nil {
		t.Fatal(err)
	}
	if got[0][0] != 6 || got[1][0] != 8 || !Missing(got[2][0]) || !Missing(got[0][1]) {
		t.Errorf("got %v", got)
	}
	panicking := doubling
	panicking.Row = func(in, out []float64) error { out[len(in)+1] = 1; return nil }
	throwing := doubling
	throwing.Row = func(in, out []float64) error { panic("thrown") }
	infinite := doubling
	infinite.Row = func(in, out []float64) error { out[2] = math.Inf(1); return nil }
	for name, tt := range map[string]struct {
		t    Transform
		in   []float64
		want string
	}{
		"an error":          {doubling, []float64{-1, 0}, "below zero"},
		"above its maximum": {doubling, []float64{51, 0}, "row 0: twice is 102"},
		"infinite":          {infinite, []float64{1, 0}, "free is +Inf"},
		"too few values":    {doubling, []float64{1}, "row 0 has 1 values for 2 inputs"},
		"a panic":           {throwing, []float64{1, 0}, "panic: thrown"},
		"out of range":      {panicking, []float64{1, 0}, "panic: runtime error: index out of range"},
	} {
		if _, err := tt.t.Try(tt.in); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error is %v, want %q", name, err, tt.want)
		}
	}
}

func TestColumns(t *testing.T) {
	t.Parallel()
	columns := doubling
	columns.Row = nil
	columns.Columns = func(in, out [][]float64) error {
		for r, x := range in[0] {
			out[0][r], out[1][r], out[2][r] = x, None(), in[1][r]
		}
		return nil
	}
	got, err := columns.Try([]float64{1, 2}, []float64{3, 4})
	if err != nil || got[0][0] != 1 || got[0][2] != 2 || got[1][0] != 3 || got[1][2] != 4 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestCallsDoNotAllocate(t *testing.T) {
	const rows = 64
	in, out := make([]float64, 2*rows), make([]float64, 3*rows)
	f := newFrame(&doubling)
	if n := testing.AllocsPerRun(100, func() { f.apply(&doubling, in, out, rows) }); n != 0 {
		t.Errorf("a call allocates %v times", n)
	}
}

func TestRegister(t *testing.T) {
	defer func(before *Transform) { registered = before }(registered)
	neither, both := doubling, doubling
	neither.Row = nil
	both.Columns = func([][]float64, [][]float64) error { return nil }
	if refused(neither) == "" || refused(both) == "" {
		t.Error("neither or both of Row and Columns are fine")
	}
	if said := refused(doubling); said != "" {
		t.Errorf("a good transform is refused: %s", said)
	}
	if said := refused(doubling); !strings.Contains(said, "doubling is registered after doubling") {
		t.Errorf("a second transform: %q", said)
	}
}

func refused(t Transform) (said string) {
	defer func() {
		if p := recover(); p != nil {
			said = panicText(p)
		}
	}()
	Register(t)
	return ""
}

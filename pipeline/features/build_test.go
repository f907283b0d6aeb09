package features

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"livelab/pipeline/observation"
)

var start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// irregular makes a city's past with gaps: a point every 4 to 26 minutes, now
// and then none for hours, and hourly weather that is missing at times.
func irregular(seed uint64, days int) Series {
	r := rand.New(rand.NewPCG(seed, 1))
	var s Series
	end := start.Add(time.Duration(days) * day)
	for t := start; t.Before(end); {
		turn := float64(t.Unix()%86400) / 86400 * 2 * math.Pi
		free := int32(400 + 150*math.Sin(turn) + 40*r.NormFloat64())
		s.Points = append(s.Points, observation.Totals{At: t, Stations: 60, FreeBikes: free, EmptySlots: 1200 - free})
		step := time.Duration(4+r.IntN(23)) * time.Minute
		if r.IntN(200) == 0 {
			step = time.Duration(3+r.IntN(9)) * time.Hour
		}
		t = t.Add(step + time.Duration(r.IntN(60))*time.Second)
	}
	for t := start; t.Before(end); t = t.Add(time.Hour) {
		w := observation.Weather{At: t, Temperature: 10 + 5*r.NormFloat64(), Precipitation: math.NaN(), WindSpeed: 8}
		if r.IntN(10) > 0 {
			w.Precipitation = r.Float64()
		}
		if r.IntN(20) > 0 {
			s.Weather = append(s.Weather, w)
		}
	}
	return s
}

// until is what of the series was known at t.
func (s Series) until(t time.Time) Series {
	var u Series
	for _, p := range s.Points {
		if !p.At.After(t) {
			u.Points = append(u.Points, p)
		}
	}
	for _, w := range s.Weather {
		if !w.At.After(t) {
			u.Weather = append(u.Weather, w)
		}
	}
	return u
}

func build(t *testing.T, task Task, s Series, at []time.Time) *Frame {
	t.Helper()
	f, err := Build(task, Place{}, s, at)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestRowsAreCausal holds the first rule: a row built when the future was not
// there yet, as serving builds it, has the same bits as the row that training
// builds from the whole past.
func TestRowsAreCausal(t *testing.T) {
	t.Parallel()
	for _, horizon := range []int{0, 60, 1440} {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("h=%d/seed=%d", horizon, seed), func(t *testing.T) {
				t.Parallel()
				task := NetworkShortage()
				task.HorizonMinutes = horizon
				s := irregular(seed, 40)
				at := RowTimes(task, s)
				whole := build(t, task, s, at)
				for row := 0; row < len(at); row += 97 {
					served := build(t, task, s.until(at[row]), at[row:row+1])
					for _, name := range whole.Names() {
						want, got := whole.Value(name, row), served.Value(name, 0)
						if math.Float64bits(want) != math.Float64bits(got) {
							t.Fatalf("%s at %s: training has %v, serving has %v", name, at[row], want, got)
						}
					}
					if whole.ShortNow[row] != served.ShortNow[0] {
						t.Fatalf("short now at %s: training has %v, serving has %v", at[row], whole.ShortNow[row], served.ShortNow[0])
					}
				}
			})
		}
	}
}

// TestRowsForgetWhatIsOlderThanHistory holds that serving needs no more of the
// past than Task.History says.
func TestRowsForgetWhatIsOlderThanHistory(t *testing.T) {
	t.Parallel()
	task := NetworkShortage()
	task.ClimatologyDays, task.Target.WindowDays = 14, 7
	s := irregular(5, 60)
	at := s.Points[len(s.Points)-1:][0].At
	var short Series
	for _, p := range s.Points {
		if !p.At.Before(at.Add(-task.History())) {
			short.Points = append(short.Points, p)
		}
	}
	short.Weather = s.Weather
	if len(short.Points) == len(s.Points) {
		t.Fatal("the series is not longer than the history")
	}
	long, cut := build(t, task, s, []time.Time{at}), build(t, task, short, []time.Time{at})
	for _, name := range long.Names() {
		if math.Float64bits(long.Value(name, 0)) != math.Float64bits(cut.Value(name, 0)) {
			t.Errorf("%s is %v with the whole past and %v with the history", name, long.Value(name, 0), cut.Value(name, 0))
		}
	}
}

// regular makes a point every 10 minutes with the given share of 100 docks.
func regular(free ...int32) Series {
	var s Series
	for i, f := range free {
		s.Points = append(s.Points, observation.Totals{
			At: start.Add(time.Duration(i) * 10 * time.Minute), Stations: 1, FreeBikes: f, EmptySlots: 100 - f,
		})
	}
	return s
}

func TestLabels(t *testing.T) {
	t.Parallel()
	// Twenty points at 50 of 100 make the threshold, then a fall to 10.
	free := make([]int32, 40)
	for i := range free {
		free[i] = 50
		if i >= 30 {
			free[i] = 10
		}
	}
	s := regular(free...)
	tests := []struct {
		name      string
		change    func(*Task, *Series)
		row       int
		now, then Label
	}{
		{"before the window is long enough", nil, 10, Unlabelled, Unlabelled},
		{"short in an hour, not now", nil, 26, NotShort, Short},
		{"not short in an hour either", nil, 22, NotShort, NotShort},
		{"no observation an hour on", nil, 36, Short, Unlabelled},
		{"horizon 0 is the present", func(task *Task, _ *Series) { task.HorizonMinutes = 0 }, 30, Short, Short},
		{
			"an observation outside the tolerance makes no label",
			func(_ *Task, s *Series) { s.Points = append(s.Points[:31:31], s.Points[34:]...) }, 26, NotShort, Unlabelled,
		},
		{
			"an observation inside the tolerance does",
			func(_ *Task, s *Series) { s.Points = append(s.Points[:32:32], s.Points[33:]...) }, 26, NotShort, Short,
		},
		{
			"what is known at t is no label of what comes",
			func(task *Task, s *Series) {
				task.HorizonMinutes = 7
				s.Points = append(s.Points[:30:30], s.Points[32:]...)
			}, 29, NotShort, Unlabelled,
		},
		{
			"what comes is, though t itself is nearer to t+h",
			func(task *Task, _ *Series) { task.HorizonMinutes = 4 }, 29, NotShort, Short,
		},
		{
			"at most k bikes",
			func(task *Task, _ *Series) { task.Target = Target{Kind: AtMost, Bikes: 10} }, 5, NotShort, NotShort,
		},
		{
			"at most k bikes, reached",
			func(task *Task, _ *Series) { task.Target = Target{Kind: AtMost, Bikes: 10} }, 25, NotShort, Short,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			task, series := NetworkShortage(), Series{Points: append([]observation.Totals(nil), s.Points...)}
			// A quantile of 0.5 keeps the threshold at 0.50 for a while, and
			// 0.10 is under it.
			task.Target.Quantile = 0.5
			at := s.Points[tt.row].At
			if tt.change != nil {
				tt.change(&task, &series)
			}
			f := build(t, task, series, []time.Time{at})
			if f.ShortNow[0] != tt.now || f.Short[0] != tt.then {
				t.Errorf("short now %v, then %v; want %v, %v", f.ShortNow[0], f.Short[0], tt.now, tt.then)
			}
		})
	}
}

func TestOldValuesAreMissing(t *testing.T) {
	t.Parallel()
	task := NetworkShortage()
	s := regular(50, 50, 50)
	s.Weather = []observation.Weather{{At: start, Temperature: 12, Precipitation: 0, WindSpeed: 5}}
	last := s.Points[2].At
	tests := []struct {
		at         time.Time
		ratio, tmp float64
	}{
		{start.Add(-time.Second), math.NaN(), math.NaN()},
		{last.Add(60 * time.Minute), 0.5, 12},
		{last.Add(60*time.Minute + time.Second), math.NaN(), 12},
		{start.Add(180 * time.Minute), math.NaN(), 12},
		{start.Add(180*time.Minute + time.Second), math.NaN(), math.NaN()},
	}
	for _, tt := range tests {
		f := build(t, task, s, []time.Time{tt.at})
		if got := f.Value("free_ratio", 0); !same(got, tt.ratio) {
			t.Errorf("free_ratio at %s is %v, want %v", tt.at, got, tt.ratio)
		}
		if got := f.Value("temp_2m", 0); !same(got, tt.tmp) {
			t.Errorf("temp_2m at %s is %v, want %v", tt.at, got, tt.tmp)
		}
	}
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// TestClimatologyIsOfThePast counts by hand: at the row, four earlier labels
// are known, two of them for its hour of the week.
func TestClimatologyIsOfThePast(t *testing.T) {
	t.Parallel()
	at := start.Add(week)
	history := []outcome{
		{at: at.Add(-week - time.Hour), labelAt: at.Add(-week), slot: hourOfWeek(at.Add(-week)), short: true, change: -changeUnit / 4},
		{at: at.Add(-week - 50*time.Minute), labelAt: at.Add(-week + 10*time.Minute), slot: hourOfWeek(at.Add(-week)), short: false},
		{at: at.Add(-5 * time.Hour), labelAt: at.Add(-4 * time.Hour), slot: hourOfWeek(at.Add(-4 * time.Hour)), short: false},
		{at: at.Add(-3 * time.Hour), labelAt: at.Add(-2 * time.Hour), slot: hourOfWeek(at.Add(-2 * time.Hour)), short: false},
		{at: at.Add(-time.Hour), labelAt: at, slot: hourOfWeek(at), short: true}, // observed at the row's time: not strictly earlier
	}
	task := NetworkShortage()
	task.HorizonMinutes = 0
	rate, change := newClimatology(task, history).at(at)
	if want := (1 + shrinkage*0.25) / (2 + shrinkage); rate != want {
		t.Errorf("rate is %v, want %v", rate, want)
	}
	if want := (-0.25 + shrinkage*-0.25/4) / (2 + shrinkage); change != want {
		t.Errorf("change is %v, want %v", change, want)
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	// numpy.quantile([1, 2, 4, 8, 16], p)
	sorted := []float64{1, 2, 4, 8, 16}
	for _, tt := range []struct{ p, want float64 }{{0, 1}, {0.2, 1.8}, {0.5, 4}, {0.9, 12.8}, {1, 16}} {
		if got := quantile(sorted, tt.p); math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("quantile %v is %v, want %v", tt.p, got, tt.want)
		}
	}
}

func TestTrailingWindowMovesAlong(t *testing.T) {
	t.Parallel()
	task := NetworkShortage()
	task.Target.WindowDays = 1
	s := irregular(9, 6)
	points := thin(task, s.Points)
	w := newTrailing(task, points)
	for _, p := range points {
		var inside []float64
		for _, q := range points {
			if age := p.At.Sub(q.At); age >= 0 && age < day {
				inside = append(inside, q.FreeRatio())
			}
		}
		want := math.NaN()
		if len(inside) >= leastWindow {
			want = sortedQuantile(inside, task.Target.Quantile)
		}
		if got := w.at(p.At); !same(got, want) {
			t.Fatalf("threshold at %s is %v, want %v", p.At, got, want)
		}
	}
}

func sortedQuantile(values []float64, p float64) float64 {
	sorted := append([]float64(nil), values...)
	for i := range sorted {
		for j := i; j > 0 && sorted[j] < sorted[j-1]; j-- {
			sorted[j], sorted[j-1] = sorted[j-1], sorted[j]
		}
	}
	return quantile(sorted, p)
}

func TestBuildRefusesDisorder(t *testing.T) {
	t.Parallel()
	s := regular(50, 50)
	s.Points[1].At = s.Points[0].At
	if _, err := Build(NetworkShortage(), Place{}, s, nil); err == nil {
		t.Error("two points at one time were taken")
	}
	task := NetworkShortage()
	task.HorizonMinutes = 1441
	if _, err := Build(task, Place{}, Series{}, nil); err == nil {
		t.Error("a horizon of 1441 minutes was taken")
	}
}

// BenchmarkBuild measures the way from a series in memory to the columns of
// the matrix. A point is a snapshot of the network.
func BenchmarkBuild(b *testing.B) {
	for _, days := range []int{30, 120, 480} {
		s := irregular(1, days)
		task := NetworkShortage()
		at := RowTimes(task, s)
		b.Run(fmt.Sprintf("points=%d", len(s.Points)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Build(task, Place{}, s, at); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(s.Points))*float64(b.N)/b.Elapsed().Seconds(), "points/s")
		})
	}
}

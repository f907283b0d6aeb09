package features

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"testing"
	"time"

	"livelab/pipeline/observation"
)

func stationTask() Task {
	task := StationShortage(1)
	task.ClimatologyDays, task.StateTTLMinutes = 5, 2*24*60
	return task
}

// stationFrames gives all rows of a history, by time.
func stationFrames(t testing.TB, task Task, h History, from, to time.Time) map[time.Time][]string {
	t.Helper()
	s, err := NewSource(task, h, nil)
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[time.Time][]string)
	err = s.Blocks(t.Context(), from, to, func(f *Frame) error {
		for i := range f.At {
			rows[f.At[i]] = append(rows[f.At[i]], bits(f, i, true))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// bits is a row to the last bit, with what came of it or without.
func bits(f *Frame, i int, label bool) string {
	b := fmt.Sprint(f.Entity[i], f.ShortNow[i])
	if label {
		b += fmt.Sprint(f.Short[i])
	}
	for k, name := range f.names {
		b += fmt.Sprintf(" %s=%v/%x", name, f.columns[k][i], math.Float64bits(f.columns[k][i]))
	}
	return b
}

// until is what of a history was known at a time.
func (h History) until(t time.Time) History {
	u := History{Series: h.Series.until(t), Stations: &Stations{List: append([]observation.Station(nil), h.Stations.List...)}}
	for _, c := range h.Stations.Past {
		n := 0
		for n < c.Len() && c.At[n] <= t.Unix() {
			n++
		}
		u.Stations.Past = append(u.Stations.Past, Changes{At: c.At[:n], FreeBikes: c.FreeBikes[:n], EmptySlots: c.EmptySlots[:n], InService: c.InService[:n]})
	}
	return u
}

// since is what of a history is not before a time, but for the states that
// held then.
func (h History) since(t time.Time) History {
	u := History{Stations: &Stations{List: h.Stations.List}}
	for _, p := range h.Series.Points {
		if !p.At.Before(t) {
			u.Series.Points = append(u.Series.Points, p)
		}
	}
	for _, w := range h.Series.Weather {
		if !w.At.Before(t) {
			u.Series.Weather = append(u.Series.Weather, w)
		}
	}
	for _, c := range h.Stations.Past {
		n := 0
		for n < c.Len() && c.At[n] < t.Unix() {
			n++
		}
		u.Stations.Past = append(u.Stations.Past, Changes{At: c.At[n:], FreeBikes: c.FreeBikes[n:], EmptySlots: c.EmptySlots[n:], InService: c.InService[n:]})
	}
	return u
}

// TestTrackerHasTheRowsOfTraining follows random pasts from late starts, from
// another list of stations, and at every few snapshots; each row has the bits
// that training has.
func TestTrackerHasTheRowsOfTraining(t *testing.T) {
	t.Parallel()
	for _, horizon := range []int{0, 60, 1440} {
		t.Run(fmt.Sprintf("h=%d", horizon), func(t *testing.T) {
			t.Parallel()
			task := stationTask()
			task.HorizonMinutes = horizon
			h := stationWorld(uint64(horizon)+1, 12, 24)
			points := h.Series.Points
			trained := stationRowsWithoutLabel(t, task, h)
			begin := points[len(points)*3/4].At
			whole, err := NewTracker(task, h.until(begin))
			if err != nil {
				t.Fatal(err)
			}
			late, err := NewTracker(task, h.until(begin).since(begin.Add(-task.History())))
			if err != nil {
				t.Fatal(err)
			}
			other := h.until(begin)
			other.Stations.List[0].Capacity++
			again, err := NewTracker(task, other)
			if err != nil {
				t.Fatal(err)
			}
			again.Rows()
			if err := again.Observe(History{Stations: &Stations{List: h.Stations.List, Past: make([]Changes, 12)}}); err != nil {
				t.Fatal(err)
			}
			for r, f := 0, again.Rows(); r < 12; r++ {
				if got, want := bits(f, r, false), bits(whole.Rows(), r, false); got != want {
					t.Fatalf("after another list, station %d is\n%s\nwant\n%s", r, got, want)
				}
			}
			last, compared := begin, 0
			for i, p := range points {
				if !p.At.After(begin) || i%3 == 0 { // at times two snapshots come at once
					continue
				}
				step := h.until(p.At).since(last.Add(time.Second))
				last = p.At
				for name, tr := range map[string]*Tracker{"whole": whole, "late": late, "again": again} {
					if err := tr.Observe(step); err != nil {
						t.Fatal(err)
					}
					f := tr.Rows()
					want, ok := trained[p.At]
					if !ok {
						continue
					}
					compared++
					for r := range f.At {
						if got := bits(f, r, false); got != want[r] {
							t.Fatalf("%s, station %d at %s:\n%s\ntraining has\n%s", name, r, p.At, got, want[r])
						}
						if missing := tr.Missing()[r] != ""; missing != (f.ShortNow[r] == Unlabelled) {
							t.Errorf("station %d at %s is missing because %q, and short now is %v", r, p.At, tr.Missing()[r], f.ShortNow[r])
						}
					}
				}
			}
			if compared < 100 {
				t.Errorf("only %d times were compared", compared)
			}
		})
	}
}

func stationRowsWithoutLabel(t testing.TB, task Task, h History) map[time.Time][]string {
	t.Helper()
	s, err := NewSource(task, h, nil)
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[time.Time][]string)
	if err := s.Blocks(t.Context(), time.Time{}, time.Time{}, func(f *Frame) error {
		for i := range f.At {
			rows[f.At[i]] = append(rows[f.At[i]], bits(f, i, false))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestStationRowsAreCausal holds that nothing after a time enters its rows, and
// that a walk from the middle gives what the whole one does.
func TestStationRowsAreCausal(t *testing.T) {
	t.Parallel()
	task, h := stationTask(), stationWorld(4, 10, 20)
	whole := stationRowsWithoutLabel(t, task, h)
	middle := h.Series.Points[len(h.Series.Points)*2/3].At
	for at, want := range stationRowsWithoutLabel(t, task, h.until(middle)) {
		for i := range want {
			if want[i] != whole[at][i] {
				t.Fatalf("station %d at %s was\n%s\nand with what came later is\n%s", i, at, want[i], whole[at][i])
			}
		}
	}
	labelled := stationFrames(t, task, h, time.Time{}, time.Time{})
	part := stationFrames(t, task, h, middle, time.Time{})
	if len(part) == 0 || len(part) == len(labelled) {
		t.Fatalf("%d of %d times are after the middle", len(part), len(labelled))
	}
	for at, rows := range part {
		for i := range rows {
			if rows[i] != labelled[at][i] {
				t.Fatalf("station %d at %s depends on where the walk begins", i, at)
			}
		}
	}
}

// TestStationRowsDoNotDependOnCores compares one worker with many.
func TestStationRowsDoNotDependOnCores(t *testing.T) {
	task, h := stationTask(), stationWorld(5, 13, 12)
	before := runtime.GOMAXPROCS(1)
	one := stationFrames(t, task, h, time.Time{}, time.Time{})
	runtime.GOMAXPROCS(7)
	many := stationFrames(t, task, h, time.Time{}, time.Time{})
	runtime.GOMAXPROCS(before)
	for at, rows := range one {
		for i := range rows {
			if rows[i] != many[at][i] {
				t.Fatalf("station %d at %s: one core has\n%s\nseven have\n%s", i, at, rows[i], many[at][i])
			}
		}
	}
}

// BenchmarkStationRows measures the way from changes in memory to the rows, and
// the exponent k of time ~ days^k between the fewest days and the most.
func BenchmarkStationRows(b *testing.B) {
	type sized struct{ days, seconds float64 }
	var took []sized
	for _, days := range []int{10, 40, 160} {
		h, rows := stationWorld(1, 250, days), 0
		b.Run(fmt.Sprintf("stations=250/days=%d", days), func(b *testing.B) {
			for b.Loop() {
				s, err := NewSource(StationShortage(0), h, nil)
				if err != nil {
					b.Fatal(err)
				}
				rows = 0
				if err := s.Blocks(context.Background(), time.Time{}, time.Time{}, func(f *Frame) error { rows += f.Rows(); return nil }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			took = append(took, sized{float64(days), b.Elapsed().Seconds() / float64(b.N)})
		})
	}
	if len(took) < 2 { // the others were not asked for
		return
	}
	b.Run("exponent", func(b *testing.B) {
		first, last := took[0], took[len(took)-1]
		b.ReportMetric(math.Log(last.seconds/first.seconds)/math.Log(last.days/first.days), "exponent")
		b.ReportMetric(0, "ns/op")
	})
}

// BenchmarkTracker measures a step of serving, from a snapshot to the rows.
func BenchmarkTracker(b *testing.B) {
	for _, stations := range []int{500, 2000} {
		h := stationWorld(1, stations, 30)
		points := h.Series.Points
		from := len(points) - 200
		b.Run(fmt.Sprintf("stations=%d", stations), func(b *testing.B) {
			var tr *Tracker
			var steps []History
			for i := from; i < len(points); i++ {
				steps = append(steps, h.until(points[i].At).since(points[i-1].At.Add(time.Second)))
			}
			for n := 0; b.Loop(); n++ {
				if k := n % len(steps); k == 0 {
					b.StopTimer()
					var err error
					if tr, err = NewTracker(StationShortage(0), h.until(points[from-1].At)); err != nil {
						b.Fatal(err)
					}
					tr.Rows()
					b.StartTimer()
				}
				if err := tr.Observe(steps[n%len(steps)]); err != nil {
					b.Fatal(err)
				}
				tr.Rows()
			}
		})
	}
}

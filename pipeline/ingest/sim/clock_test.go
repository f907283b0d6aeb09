package sim

import (
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	t.Parallel()
	wallStart := time.Date(2026, 5, 1, 10, 0, 0, 0, time.FixedZone("", 2*3600))
	for _, tt := range []struct {
		name  string
		start time.Time
		speed float64
		want  time.Time // 90 s later
	}{
		{"real time by default", time.Time{}, 0, time.Date(2026, 5, 1, 8, 1, 30, 0, time.UTC)},
		{"a time of its own", time.Date(2020, 2, 29, 0, 0, 0, 0, time.UTC), 1, time.Date(2020, 2, 29, 0, 1, 30, 0, time.UTC)},
		{"faster", time.Date(2020, 2, 29, 0, 0, 0, 0, time.UTC), 960, time.Date(2020, 3, 1, 0, 0, 0, 0, time.UTC)},
		{"slower", time.Date(2020, 2, 29, 0, 0, 0, 0, time.UTC), 0.5, time.Date(2020, 2, 29, 0, 0, 45, 0, time.UTC)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wall := wallStart
			c := NewClock(tt.start, tt.speed, func() time.Time { return wall })
			wall = wall.Add(90 * time.Second)
			if got := c.Now(); got != tt.want {
				t.Errorf("after 90 s the clock shows %s, want %s", got, tt.want)
			}
		})
	}
}

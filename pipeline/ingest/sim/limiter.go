package sim

import (
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// usualLimit is what CityBikes grants a client in an hour.
const usualLimit = 300

// limiter counts the requests of each client in each hour.
type limiter struct {
	max int // 0 for no limit

	mu   sync.Mutex
	hour time.Time
	made map[string]int
}

// granted is the number of requests that a client has in an hour.
func (l *limiter) granted() int {
	if l.max == 0 {
		return usualLimit
	}
	return l.max
}

// take counts a request and says how many are left, -1 where it is one too
// many.
func (l *limiter) take(client string, now time.Time) (left int) {
	if l.max == 0 {
		return usualLimit
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if hour := now.Truncate(time.Hour); !hour.Equal(l.hour) {
		l.hour, l.made = hour, make(map[string]int)
	}
	if l.made[client] >= l.max {
		return -1
	}
	l.made[client]++
	return l.max - l.made[client]
}

// limited puts a handler behind the limiter and states the limit in the
// answer's headers.
func (s *Server) limited(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		client, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			client = r.RemoteAddr
		}
		now := s.now()
		left := s.limit.take(client, now)
		reset := now.Truncate(time.Hour).Add(time.Hour).Sub(now)
		seconds := strconv.Itoa(int((reset + time.Second - 1) / time.Second))
		h := w.Header()
		h.Set("ratelimit-limit", strconv.Itoa(s.limit.granted()))
		h.Set("ratelimit-remaining", strconv.Itoa(max(0, left)))
		h.Set("ratelimit-reset", seconds)
		if left < 0 {
			h.Set("retry-after", seconds)
			writeJSON(w, http.StatusTooManyRequests, bikesError{"Too many requests"})
			return
		}
		next(w, r)
	}
}

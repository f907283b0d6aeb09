package hostile

import (
	"testing"
)

// TestCorpus holds what becomes of each specimen, and that none takes more
// memory than was promised. What it takes of time is only told.
func TestCorpus(t *testing.T) {
	const most = 64 << 20
	h := newHost(t, nil)
	for _, s := range corpus() {
		t.Run(s.name, func(t *testing.T) {
			code := s.code()
			before := startCost()
			s.try(t, h, code)
			before.log(t)
			if more := before.more(); more > most {
				t.Errorf("%d MiB more were resident", more>>20)
			}
		})
	}
}

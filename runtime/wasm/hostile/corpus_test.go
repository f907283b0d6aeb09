package hostile

import (
	"testing"
)

// TestCorpus holds what becomes of each specimen.
func TestCorpus(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	for _, s := range corpus() {
		t.Run(s.name, func(t *testing.T) { s.try(t, h) })
	}
}

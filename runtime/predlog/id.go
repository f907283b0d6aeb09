package predlog

import (
	"bufio"
	"crypto/rand"
	"io"
	"sync"

	"github.com/google/uuid"
)

// ids makes UUIDv7s: unique, and sorted by time. It reads randomness ahead,
// since a system call for each is what making one costs otherwise. It is
// safe for concurrent use.
type ids struct {
	mu     sync.Mutex
	random io.Reader
}

func newIDs() *ids { return &ids{random: bufio.NewReaderSize(rand.Reader, 4096)} }

func (s *ids) next() string {
	return uuid.Must(uuid.NewV7FromReader(s.random)).String() // crypto/rand does not fail
}

// identify gives an ID to each prediction that has none.
func (s *ids) identify(batch []Prediction) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range batch {
		if batch[i].ID == "" {
			batch[i].ID = s.next()
		}
	}
}

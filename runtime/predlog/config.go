package predlog

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"livelab/runtime/predlog/spool"
)

// Config says how a Writer works. Zero fields take their default.
type Config struct {
	Store Store

	// Spool is the folder on the disk in which predictions wait for the store,
	// its size and what is lost when it is full. Without a folder predictions
	// wait in memory, and those that wait are lost with the process.
	Spool spool.Config

	// Sync is how often the spool is taken to the disk, which is what a loss of
	// power can cost; a killed process costs nothing. A negative one has every
	// prediction on the disk before it is answered. Default 1 s.
	Sync time.Duration

	// Wait is how long Add waits at most for a disk that is slow, for each
	// 256 KiB that it is given. The prediction is written all the same, once
	// the disk is. Default 1 s: a busy disk takes half of that at times.
	Wait time.Duration

	// Memory is how many bytes of predictions may wait in memory for the disk,
	// and how many for the store while the disk takes none. Default 4 MiB.
	Memory int

	// Batch is how many predictions one write to the store has at most.
	// Default 500; more make the process larger than they save time.
	Batch int

	// Interval is how long a prediction waits for others before it is stored.
	// Default 200 ms.
	Interval time.Duration

	// Busy is how many predictions a second count as a peak, in which storing
	// rests between batches so that requests have the machine: the spool holds
	// them meanwhile. Default 1000.
	Busy int

	// Rest is how many times as long as a batch took storing rests in a peak.
	// A negative one is none. Default 99: a hundredth of the time, since each
	// hundredth more costs as many requests.
	Rest int

	// MinBackoff and MaxBackoff bound the pause after a failed write, which
	// doubles each time. Default 100 ms and 5 s.
	MinBackoff, MaxBackoff time.Duration

	// WriteTimeout ends one write to the store. Default 10 s.
	WriteTimeout time.Duration

	// Keep is how long the store keeps predictions. Default 0, for ever.
	Keep time.Duration

	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

func (c *Config) setDefaults() {
	c.Sync = cmp.Or(c.Sync, time.Second)
	c.Wait = cmp.Or(c.Wait, time.Second)
	c.Memory = cmp.Or(c.Memory, 4<<20)
	c.Batch = cmp.Or(c.Batch, 500)
	c.Interval = cmp.Or(c.Interval, 200*time.Millisecond)
	c.Busy = cmp.Or(c.Busy, 1000)
	c.Rest = cmp.Or(c.Rest, 99)
	c.MinBackoff = cmp.Or(c.MinBackoff, 100*time.Millisecond)
	c.MaxBackoff = cmp.Or(c.MaxBackoff, 5*time.Second)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, 10*time.Second)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Spool.Logger = c.Logger
	c.Spool.MaxBytes = cmp.Or(c.Spool.MaxBytes, 1<<30)
}

func (c *Config) validate() error {
	if c.Store == nil {
		return errors.New("prediction log: no store")
	}
	if c.Memory < 1 || c.Batch < 1 || c.Spool.MaxBytes < 1 || c.Keep < 0 {
		return fmt.Errorf("prediction log: memory is %d bytes, spool %d bytes, batch %d and keep %v, none may be negative",
			c.Memory, c.Spool.MaxBytes, c.Batch, c.Keep)
	}
	if c.Interval < 0 || c.Wait < 0 || c.WriteTimeout < 0 || c.MinBackoff < 0 || c.MaxBackoff < c.MinBackoff {
		return fmt.Errorf("prediction log: interval %v, wait %v, write timeout %v and backoff %v to %v must be positive and in order",
			c.Interval, c.Wait, c.WriteTimeout, c.MinBackoff, c.MaxBackoff)
	}
	return nil
}

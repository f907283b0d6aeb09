package catalogue

import (
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"time"
)

// State is where a plugin stands.
type State string

// The states.
const (
	Waiting  State = "waiting"  // seen, but perhaps not yet written to its end
	Checking State = "checking" // to be judged, or being judged
	Offered  State = "offered"
	Refused  State = "refused"
)

// States lists all of them.
func States() []State { return []State{Waiting, Checking, Offered, Refused} }

// plugin is what is known of a file, or of a transform that is shipped.
type plugin struct {
	file    string
	shipped bool
	code    []byte // of one that is shipped
	size    int64

	state  State
	reason string // of a refusal, or of the wait
	since  time.Time

	seen  fs.FileInfo // in the last scan; nil where it must be seen again
	turn  int         // among those to be checked
	retry time.Time   // not to be checked before

	// offer is what is offered: of this content or, while that waits or is
	// checked, of the former. Its Transform is nil where there is nothing.
	offer Admitted
}

// same reports whether a file looks untouched between two stats. The mode
// counts, so that a file that could not be read is tried again after chmod.
func same(a, b fs.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) &&
		a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && a.Mode() == b.Mode()
}

// The methods below want c.mu held, except in New.

func (c *Catalogue) enter(p *plugin, s State, reason string) {
	if p.state != s || p.since.IsZero() {
		p.since = c.cfg.Now().UTC().Truncate(time.Second)
	}
	p.state, p.reason = s, clean(reason)
}

// sight takes in what a scan has seen under a name.
func (c *Catalogue) sight(s sighting) {
	p := c.files[s.name]
	if p == nil {
		p = &plugin{file: s.name}
		c.files[s.name] = p
	}
	switch {
	case s.refusal != "":
		if p.state != Refused || p.reason != clean(s.refusal) {
			c.refuse(p, s.refusal)
		}
		p.seen, p.size = nil, 0
	case !same(p.seen, s.info):
		p.seen, p.size = s.info, s.info.Size()
		c.await(p)
	default:
		c.retry(p)
	}
}

// retry has a plugin checked that waited long enough.
func (c *Catalogue) retry(p *plugin) {
	if p.state == Waiting && !c.cfg.Now().Before(p.retry) {
		c.queue(p)
	}
}

// postpone has a plugin checked again later.
func (c *Catalogue) postpone(p *plugin, err error) {
	p.retry = c.cfg.Now().Add(retryAfter)
	c.enter(p, Waiting, p.meanwhile(err.Error()+"; it is tried again"))
	c.log.Warn("a plugin could not be judged and is tried again", "file", p.file, "error", err)
}

// await has a file looked at again before it is read.
func (c *Catalogue) await(p *plugin) {
	p.retry = time.Time{}
	c.enter(p, Waiting, p.meanwhile("it is being written, or was so until just now"))
}

// queue has a plugin checked after those that were queued before.
func (c *Catalogue) queue(p *plugin) {
	c.turns++
	p.turn = c.turns
	c.enter(p, Checking, p.meanwhile(""))
	select {
	case c.settled <- struct{}{}:
	default:
	}
}

// meanwhile adds to a reason what is offered until a replacement is judged.
func (p *plugin) meanwhile(reason string) string {
	if p.offer.Transform == nil {
		return reason
	}
	const former = "the former content is offered meanwhile"
	if reason == "" {
		return former
	}
	return reason + "; " + former
}

func (c *Catalogue) refuse(p *plugin, reason string) {
	p.offer = Admitted{}
	c.enter(p, Refused, reason)
	c.log.Warn("a plugin is refused", "file", p.file, "reason", p.reason)
}

func (c *Catalogue) accept(p *plugin, a Admitted) {
	p.offer = a
	c.enter(p, Offered, "")
	spec := a.Transform.Spec()
	level := slog.LevelDebug // who loads once names what it takes
	if c.started {
		level = slog.LevelInfo
	}
	c.log.Log(c.life, level, "a transform is offered", "file", p.file, "name", spec.Name, "version", spec.Version, "digest", spec.Digest)
}

// withdraw forgets the files that a scan has not seen, or has skipped.
func (c *Catalogue) withdraw(seen []sighting, skipped []string) {
	there := make(map[string]bool, len(seen))
	for _, s := range seen {
		there[s.name] = true
	}
	for name, p := range c.files {
		if there[name] {
			continue
		}
		delete(c.files, name)
		if p.offer.Transform != nil {
			why := "its file is gone"
			if slices.Contains(skipped, name) {
				why = "its file is one too many"
			}
			c.log.Info("a transform is withdrawn: "+why, "file", name, "name", p.offer.Transform.Spec().Name)
		}
	}
}

// anyWaits reports whether there is something pending.
func (c *Catalogue) anyWaits() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for p := range c.all() {
		if p.pending() {
			return true
		}
	}
	return false
}

// pending reports whether another scan or check may soon settle it.
func (p *plugin) pending() bool {
	return p.state == Checking || p.state == Waiting && p.retry.IsZero()
}

package catalogue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"strings"
)

// checkNext judges the plugin that has waited for it the longest, those that are
// called like a wanted one first, and is false where there is none or ctx has
// ended.
func (c *Catalogue) checkNext(ctx context.Context, wanted ...string) bool {
	c.checking.Lock()
	defer c.checking.Unlock()
	p, seen := c.next(wanted)
	if p == nil || ctx.Err() != nil {
		return false
	}
	code, err := p.code, error(nil)
	if !p.shipped {
		code, err = c.read(p.file, seen)
	}
	var a Admitted
	if err == nil {
		a, err = c.admit(ctx, code)
	}
	if ctx.Err() != nil {
		return false // broken off, which says nothing about the file
	}
	c.settle(p, seen, a, err)
	return true
}

// next finds whose turn it is, with the file as it was seen.
func (c *Catalogue) next(wanted []string) (first *plugin, seen fs.FileInfo) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	preferred := make(map[string]bool, len(wanted))
	for _, reference := range wanted {
		name, _, _ := strings.Cut(reference, "@")
		preferred[fileOf(name)] = true
	}
	before := func(p, q *plugin) bool {
		if preferred[p.file] != preferred[q.file] {
			return preferred[p.file]
		}
		return p.turn < q.turn
	}
	take := func(p *plugin) {
		if p.state == Checking && (first == nil || before(p, first)) {
			first, seen = p, p.seen
		}
	}
	for _, p := range c.shipped {
		take(p)
	}
	for _, p := range c.files {
		take(p)
	}
	return first, seen
}

// settle keeps a verdict, unless the file has changed or gone since.
func (c *Catalogue) settle(p *plugin, seen fs.FileInfo, a Admitted, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !p.shipped && (c.files[p.file] != p || !same(p.seen, seen)) {
		return
	}
	switch {
	case errors.Is(err, errChanged), errors.Is(err, fs.ErrNotExist):
		p.seen = nil
		c.await(p)
	case errors.Is(err, ErrUndecided):
		c.postpone(p, err)
	case err != nil:
		c.refuse(p, err.Error())
	default:
		c.accept(p, a)
	}
}

// admit has a module judged, unless the very same bytes are on offer already.
func (c *Catalogue) admit(ctx context.Context, code []byte) (Admitted, error) {
	sum := sha256.Sum256(code)
	if a, ok := c.offered(hex.EncodeToString(sum[:])); ok {
		return a, nil
	}
	a, err := c.cfg.Admitter.Admit(ctx, code)
	if err == nil && a.Transform == nil {
		err = errors.New("the admission gave no transform")
	}
	return a, err
}

func (c *Catalogue) offered(digest string) (Admitted, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for p := range c.all() {
		if t := p.offer.Transform; t != nil && t.Spec().Digest == digest {
			return p.offer, true
		}
	}
	return Admitted{}, false
}

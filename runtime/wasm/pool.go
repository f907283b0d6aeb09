package wasm

import "sync"

// A pool hands out the instances of one module, at most some at a time. Who
// asks for more waits until one is put back, which the fuel of calls bounds.
type pool struct {
	make func() (*instance, error)

	mu     sync.Mutex
	change sync.Cond
	idle   []*instance // last in, first out: its memory is warm
	room   int         // instances that may be made still
	busy   int
	closed bool
}

func newPool(size int, make func() (*instance, error)) *pool {
	p := &pool{make: make, room: size}
	p.change.L = &p.mu
	return p
}

// take an instance, made where none is idle.
func (p *pool) take() (*instance, error) {
	p.mu.Lock()
	for !p.closed && len(p.idle) == 0 && p.room == 0 {
		p.change.Wait()
	}
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	p.busy++
	if n := len(p.idle); n > 0 {
		g := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return g, nil
	}
	p.room--
	p.mu.Unlock()
	g, err := p.make()
	if err != nil {
		p.put(nil)
	}
	return g, err
}

// put an instance back, nil for one that was discarded.
func (p *pool) put(g *instance) {
	p.mu.Lock()
	p.busy--
	if g == nil {
		p.room++
	} else {
		p.idle = append(p.idle, g)
	}
	if p.closed {
		p.change.Broadcast()
	} else {
		p.change.Signal()
	}
	p.mu.Unlock()
}

// close waits for the instances that are out, and closes all.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.change.Broadcast()
	for p.busy > 0 {
		p.change.Wait()
	}
	for _, g := range p.idle {
		g.close()
	}
	p.idle = nil
}

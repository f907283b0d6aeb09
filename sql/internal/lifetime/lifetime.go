// Package lifetime holds what both stores' transactions promise about their
// use: not after their Update, not after a failure of the database, and for no
// network that the Update did not name.
package lifetime

import (
	"errors"
	"fmt"
	"slices"
)

// Guard watches over the use of one transaction. It is not safe for concurrent
// use, as the transaction is not.
type Guard struct {
	networks []string
	over     bool
	failed   error // the first error of the database
}

// New watches over a transaction for the given networks.
func New(networks []string) *Guard { return &Guard{networks: networks} }

// Open says whether the transaction may still be used at all.
func (g *Guard) Open() error {
	if g.over {
		return errors.New("the transaction is used after its Update")
	}
	return g.failed
}

// For says whether the transaction may still be used for a network.
func (g *Guard) For(network string) error {
	if err := g.Open(); err != nil {
		return err
	}
	if !slices.Contains(g.networks, network) {
		return fmt.Errorf("the network %q is not one that this Update named", network)
	}
	return nil
}

// Fail notes an error of the database, where it is one, and gives it back.
func (g *Guard) Fail(err error) error {
	if g.failed == nil {
		g.failed = err
	}
	return err
}

// End closes the transaction to any use. It gives the error that the Update
// ends with instead of a commit: that of its function, else the first of the
// database, which the function may have passed over.
func (g *Guard) End(err error) error {
	g.over = true
	switch {
	case err != nil:
		return err
	case g.failed != nil:
		return fmt.Errorf("update: %w", g.failed)
	}
	return nil
}

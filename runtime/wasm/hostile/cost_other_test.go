//go:build !linux

package hostile

import "testing"

// A cost is not known on this system.
type cost struct{}

func startCost() cost         { return cost{} }
func (cost) more() int64      { return 0 }
func (cost) log(t *testing.T) { t.Log("what it takes is measured on Linux alone") }

// Package meter rewrites a module so that it counts its own work and the
// depth of its calls, and stops at a limit that the host sets. The count
// hangs on the module's code and its inputs alone: the same call ends in the
// same way on every machine and in every engine.
//
// # What the host does
//
// The rewritten module has two more globals, mutable i64, exported as Fuel and
// Stack. Before each call the host sets both, Stack to DefaultStack. After a
// call that returned, Fuel holds what is left. After one that trapped, Cause
// tells why from their signs: below zero is exhausted, and only one of the two
// can be. After any trap the instance is no longer usable, and the amount left
// means nothing.
//
// A host function may take fuel for work of its own from the global, and
// should where its work has a length: the global is up to date whenever it is
// called. It must leave a number below zero in place of taking too much, and
// panic. The call itself is charged already; one through a table is charged
// as any indirect call.
//
// # Fuel
//
// The code is cut into segments, and each is paid for, by the weight of its
// instructions, where it begins: at the function's entry, at the header of a
// loop, and behind the start or the end of a block. Branches go forward,
// except for those to the header of a loop, which begins a segment. So no
// instruction runs twice between two payments for its segment. And none runs
// before a payment: a segment ends with the block that it is in, what follows
// belongs to the segment around that block, which has been passed already, or
// begins one of its own. What runs has been paid for, then, and before it runs.
//
// A light segment is paid for with the one around it, so that a check is rare:
// a transform's loop has one, at its header. Its code that is branched over is
// paid for as well. Heavy segments pay for themselves, as compilers that have
// no other way to jump (Go's) put a function's whole body into one loop.
//
// What takes time by its operand is charged by it when it runs: memory.fill,
// memory.copy, memory.init and those of tables by length, memory.grow by the
// pages that there are then, as growing may move all of them. A memory's
// declared maximum is lowered to Options.MaxPages, so that growing fails at
// the same size everywhere.
//
// A function that has a loop without a call in it, or few calls in all, keeps
// the fuel in a local, which an engine has in a register. It writes it to the
// global before it calls, returns or runs out, and reads it again after a
// call. That changes what a payment takes of time, nothing else.
//
// # Stack
//
// A function takes an upper bound of its frame at entry and gives it back when
// it returns. Where no recursion and no indirect call is below a function, and
// all that it can reach fits into staticDepth bytes, nothing is counted at run
// time: whoever calls it has taken the sum in advance. The real stack stays
// below the allowance and one frame more.
//
// # Why not otherwise
//
// A clock ends the same call in different places on different days. Cancelling
// inside the engine costs 2.6 to 4.6 times in loops, and does not see a tree of
// calls. A payment in each basic block is exact for code that is branched over,
// and takes a check in each; one for a whole loop lets a Go module pay ten
// times for what it does.
package meter

import "errors"

// Version of the cost model. Whatever changes an outcome changes it too: a
// weight, the bound of a frame, where something is charged.
const Version = 1

// The names of the globals in the exports of a rewritten module. The original
// exports no name that begins with Prefix.
const (
	Prefix = "livelab:"
	Fuel   = Prefix + "fuel"
	Stack  = Prefix + "stack"
)

// DefaultStack is the allowance, in bytes, that Stack is set to before a call.
// wazero doubles its stack when it is full and keeps the old one while it
// copies, so that 8 MiB make at most 32 MiB of memory, far below its own
// ceiling of 50,000,000 bytes.
const DefaultStack = 8 << 20

// DefaultMaxPages is the most memory, in pages of 64 KiB: 16 MiB.
const DefaultMaxPages = 256

// The causes of a trap that metering made.
var (
	ErrFuel  = errors.New("out of fuel")
	ErrStack = errors.New("calls nested too deep")
)

// Cause is ErrFuel or ErrStack, or nil for a trap of the module's own, by the
// values of the two globals after the trap.
func Cause(fuel, stack int64) error {
	switch {
	case fuel < 0:
		return ErrFuel
	case stack < 0:
		return ErrStack
	}
	return nil
}

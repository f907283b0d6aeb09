package wasm

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"livelab/plugins/abi"
)

// Numbers of WASI's errors.
const (
	errnoSuccess = 0
	errnoBadf    = 8
	errnoFault   = 21
	errnoInval   = 28
)

// What a call of the host costs in fuel. A guest calls as often as its own
// fuel allows; these pay for what the host does in a call, by its length.
const (
	fuelHostCall   = 100
	fuelHostVector = 32
	fuelHostByte   = 1
)

// guestTime is what every clock shows, in nanoseconds: the start of 2000 UTC.
// The Go runtime refuses to start at zero.
const guestTime = 946_684_800_000_000_000

const i32, i64 = api.ValueTypeI32, api.ValueTypeI64

// A stub answers one call of WASI. Arguments and the result are in the stack.
type stub struct {
	params []api.ValueType
	result bool // an i32 with the error's number
	answer func(g *instance, args []uint64) (errno uint64)
}

// stubs are all the imports that there are.
var stubs = map[string]stub{
	"args_get":            {[]api.ValueType{i32, i32}, true, succeed},
	"args_sizes_get":      {[]api.ValueType{i32, i32}, true, noStrings},
	"environ_get":         {[]api.ValueType{i32, i32}, true, succeed},
	"environ_sizes_get":   {[]api.ValueType{i32, i32}, true, noStrings},
	"clock_time_get":      {[]api.ValueType{i32, i64, i32}, true, clockTimeGet},
	"random_get":          {[]api.ValueType{i32, i32}, true, randomGet},
	"sched_yield":         {nil, true, succeed},
	"poll_oneoff":         {[]api.ValueType{i32, i32, i32, i32}, true, pollOneoff},
	"proc_exit":           {[]api.ValueType{i32}, false, procExit},
	"fd_write":            {[]api.ValueType{i32, i32, i32, i32}, true, fdWrite},
	"fd_close":            {[]api.ValueType{i32}, true, badFile},
	"fd_fdstat_get":       {[]api.ValueType{i32, i32}, true, badFile},
	"fd_fdstat_set_flags": {[]api.ValueType{i32, i32}, true, badFile},
	"fd_prestat_get":      {[]api.ValueType{i32, i32}, true, badFile},
	"fd_prestat_dir_name": {[]api.ValueType{i32, i32, i32}, true, badFile},
}

// instanceKey finds the instance in the context of a call into it.
type instanceKey struct{}

// addStubs gives the modules of a runtime what they may import.
func addStubs(ctx context.Context, r wazero.Runtime) error {
	b := r.NewHostModuleBuilder(abi.WASI)
	for name, s := range stubs {
		var results []api.ValueType
		if s.result {
			results = []api.ValueType{i32}
		}
		b = b.NewFunctionBuilder().WithGoModuleFunction(s.serve(), s.params, results).Export(name)
	}
	if _, err := b.Instantiate(ctx); err != nil {
		return fmt.Errorf("make the imports of transforms: %w", err)
	}
	return nil
}

func (s stub) serve() api.GoModuleFunc {
	return func(ctx context.Context, _ api.Module, stack []uint64) {
		g := ctx.Value(instanceKey{}).(*instance)
		g.charge(fuelHostCall)
		errno := s.answer(g, stack)
		if s.result {
			stack[0] = errno
		}
	}
}

func succeed(*instance, []uint64) uint64 { return errnoSuccess }
func badFile(*instance, []uint64) uint64 { return errnoBadf }

// noStrings says that there are none, of no bytes.
func noStrings(g *instance, args []uint64) uint64 {
	if !g.memory.WriteUint32Le(uint32(args[0]), 0) || !g.memory.WriteUint32Le(uint32(args[1]), 0) {
		return errnoFault
	}
	return errnoSuccess
}

func clockTimeGet(g *instance, args []uint64) uint64 {
	if !g.memory.WriteUint64Le(uint32(args[2]), guestTime) {
		return errnoFault
	}
	return errnoSuccess
}

// randomGet gives the same bytes to every instance, in the order asked for.
func randomGet(g *instance, args []uint64) uint64 {
	buf, ok := g.memory.Read(uint32(args[0]), uint32(args[1]))
	if !ok {
		return errnoFault
	}
	g.charge(fuelHostByte * int64(len(buf)))
	for len(buf) > 0 {
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], splitmix(g.drawn/8))
		n := copy(buf, word[g.drawn%8:])
		g.drawn += uint64(n)
		buf = buf[n:]
	}
	return errnoSuccess
}

// pollOneoff returns at once, and nothing has happened: time stands still.
func pollOneoff(g *instance, args []uint64) uint64 {
	if !g.memory.WriteUint32Le(uint32(args[3]), 0) {
		return errnoFault
	}
	return errnoSuccess
}

// fdWrite keeps what is written to standard output and error.
func fdWrite(g *instance, args []uint64) uint64 {
	const maxVectors = 1 << 10
	fd, vectors, count := uint32(args[0]), uint32(args[1]), uint32(args[2])
	if fd != 1 && fd != 2 {
		return errnoBadf
	}
	if count > maxVectors {
		return errnoInval
	}
	g.charge(fuelHostVector * int64(count))
	written := uint32(0)
	for i := range count {
		at, ok1 := g.memory.ReadUint32Le(vectors + 8*i)
		n, ok2 := g.memory.ReadUint32Le(vectors + 8*i + 4)
		if !ok1 || !ok2 {
			return errnoFault
		}
		p, ok := g.memory.Read(at, n)
		if !ok {
			return errnoFault
		}
		g.charge(fuelHostByte * int64(n))
		g.console.write(p)
		g.said.write(p)
		written += n
	}
	if !g.memory.WriteUint32Le(uint32(args[3]), written) {
		return errnoFault
	}
	return errnoSuccess
}

// procExit ends the instance, by way of a panic that the engine catches.
func procExit(g *instance, args []uint64) uint64 {
	panic(&trap{Trapped, fmt.Sprintf("it ended itself with proc_exit(%d): return instead%s", uint32(args[0]), g.lastWords())})
}

// splitmix is the SplitMix64 generator at the n-th step from seed 0, by
// Steele, Lea and Flood, "Fast splittable pseudorandom number generators".
func splitmix(n uint64) uint64 {
	z := (n + 1) * 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

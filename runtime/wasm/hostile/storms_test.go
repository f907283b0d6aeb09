package hostile

import (
	"testing"

	"livelab/plugins/abi"
	"livelab/runtime/wasm"
	. "livelab/runtime/wasm/wasmtest"
)

// The signatures of WASI that the storms call.
var signatures = map[string][2]Types{
	"random_get":     {I32 + I32, I32},
	"fd_write":       {I32 + I32 + I32 + I32, I32},
	"poll_oneoff":    {I32 + I32 + I32 + I32, I32},
	"sched_yield":    {None, I32},
	"clock_time_get": {I32 + I64 + I32, I32},
	"proc_exit":      {I32, None},
	"fd_prestat_get": {I32 + I32, I32},
	"environ_get":    {I32 + I32, I32},
	"args_sizes_get": {I32 + I32, I32},
}

// wasi imports calls of WASI as functions 0, 1 and so on.
func wasi(names ...string) func(*Builder) {
	return func(b *Builder) {
		for _, name := range names {
			b.Import(abi.WASI, name, signatures[name][0], signatures[name][1])
		}
	}
}

// storm repeats a body for ever once it sees the trigger.
func storm(name, reason string, pages int, body Code, imports ...string) specimen {
	return specimen{name: "storm of " + name, turns: true, reason: reason, code: made(Transform{
		MinPages: pages, Row: on(Loop(Empty, body, Br(0))), First: wasi(imports...),
	})}
}

const (
	page          = 64 << 10
	low           = 256      // up to the description: nothing else lies there
	descriptionAt = 1 << 10  // as package wasmtest puts it
	scratch       = 32 << 10 // among the buffers
	high          = 8 << 20  // behind them
)

func storms() []specimen {
	store := func(at, value int32) Code { return I32Const(at) + I32Const(value) + At(I32Store, 0) }
	// 1000 vectors, each all of a memory of 16 MiB.
	var vectors Code
	for i := range int32(1000) {
		vectors += store(high+8*i, 0) + store(high+8*i+4, 256*page)
	}
	return []specimen{
		storm("memory.fill of 16 MiB", spent, 256, I32Const(low)+I32Const(1)+I32Const(255*page)+MemoryFill),
		storm("memory.fill of 0 bytes", spent, 2, I32Const(low)+I32Const(1)+I32Const(0)+MemoryFill),
		storm("memory.copy of 16 MiB", spent, 256, I32Const(low)+I32Const(low+8)+I32Const(255*page)+MemoryCopy),
		storm("memory.grow by nothing", spent, 256, I32Const(0)+MemoryGrow+Drop),
		storm("memory.grow by far too much", spent, 2, I32Const(-1)+MemoryGrow+Drop),
		storm("random_get of 16 MiB", spent, 256, I32Const(low)+I32Const(255*page)+Call(0)+Drop, "random_get"),
		storm("random_get of nothing", spent, 2, I32Const(low)+I32Const(0)+Call(0)+Drop, "random_get"),
		storm("fd_write of 16 GB", spent, 256, vectors+I32Const(1)+I32Const(high)+I32Const(1000)+I32Const(64)+Call(0)+Drop, "fd_write"),
		storm("fd_write of 2^32 vectors", spent, 2, I32Const(2)+I32Const(low)+I32Const(-1)+I32Const(64)+Call(0)+Drop, "fd_write"),
		storm("fd_write out of memory", spent, 2, store(low, -8)+store(low+4, 64)+
			I32Const(2)+I32Const(low)+I32Const(1)+I32Const(-4)+Call(0)+Drop, "fd_write"),
		storm("poll_oneoff with 2^32 subscriptions", spent, 2, I32Const(low)+I32Const(low)+I32Const(-1)+I32Const(64)+Call(0)+Drop, "poll_oneoff"),
		storm("sched_yield", spent, 2, Call(0)+Drop, "sched_yield"),
		{name: "random_get of more fuel than _initialize has", step: wasm.StepInitialise, reason: spent, code: made(Transform{
			MinPages: 256, First: wasi("random_get"),
			Init: Loop(Empty, I32Const(low), I32Const(200*page), Call(0), Drop, Br(0)),
		})},
		{name: "lines on the console without end", step: wasm.StepInitialise, reason: spent, code: made(Transform{
			First: wasi("fd_write"),
			Init: store(low, descriptionAt) + store(low+4, 64) +
				Loop(Empty, I32Const(1), I32Const(low), I32Const(1), I32Const(64), Call(0), Drop, Br(0)),
		})},
		{name: "proc_exit on one row", turns: true, reason: "it ended itself with proc_exit(7)", code: made(Transform{
			First: wasi("proc_exit"), Row: on(I32Const(7) + Call(0)),
		})},
		{name: "proc_exit in _initialize", step: wasm.StepInitialise, reason: "proc_exit(0)", code: made(Transform{
			First: wasi("proc_exit"), Init: I32Const(0) + Call(0),
		})},
		{name: "terminal escapes on the console before a trap", turns: true, reason: "unreachable (it printed ", code: made(Transform{
			First: wasi("fd_write"),
			Row: on(store(low, low+8) + store(low+4, 8) + store(low+8, 0x4a325b1b) + store(low+12, 0x0d9b8041) +
				I32Const(2) + I32Const(low) + I32Const(1) + I32Const(64) + Call(0) + Drop + Unreachable),
		})},
		{name: "clock and randomness for answers", outcome: "admitted: both are the same each time", code: made(Transform{
			First: wasi("random_get", "clock_time_get", "args_sizes_get", "environ_get", "fd_prestat_get"),
			Init: I32Const(low) + I32Const(8) + Call(0) + Drop + I32Const(0) + I64Const(1) + I32Const(low+8) + Call(1) + Drop +
				I32Const(low+16) + I32Const(low+20) + Call(2) + Drop,
			Row: Out(0, I32Const(low)+At(I64Load, 0)+F64ConvertI64U+I32Const(low)+At(I64Load, 8)+F64ConvertI64U+F64Add),
		}), use: sameAlways},
		{name: "clock read at each row", outcome: "admitted: the clock stands still", code: made(Transform{
			First: wasi("clock_time_get"),
			Row: I32Const(0) + I64Const(0) + I32Const(low) + Call(0) + Drop +
				Out(0, I32Const(low)+At(I64Load, 0)+F64ConvertI64U),
		}), use: sameAlways},
		{name: "randomness drawn at each row", step: wasm.StepProbe, reason: "it keeps state between calls", code: made(Transform{
			First: wasi("random_get"),
			Row: I32Const(low) + I32Const(8) + Call(0) + Drop +
				Out(0, I32Const(low)+At(I64Load, 0)+F64ConvertI64U),
		})},
	}
}

// sameAlways holds that answers of instance after instance are the same, in
// hosts that know nothing of each other.
func sameAlways(t *testing.T, tr *wasm.Transform) {
	out := []float64{0}
	if err := tr.ApplyRow([]float64{1, 3}, out); err != nil || out[0] == 0 {
		t.Fatalf("got %v, %v", out, err)
	}
	again := []float64{0}
	other := admit(t, newHost(t, nil), tr.Code())
	if err := other.ApplyRow([]float64{2, 5}, again); err != nil || again[0] != out[0] {
		t.Errorf("another host gives %v, %v; want %v", again, err, out)
	}
}

package hostile

import (
	"livelab/plugins/abi"
	"livelab/runtime/wasm"
	. "livelab/runtime/wasm/wasmtest"
)

func surface() []specimen {
	wrong := func(name string, params, results Types, body Code, want string) specimen {
		return specimen{name: "wrong type of " + name, step: wasm.StepSurface, reason: want, code: made(instead(name, params, results, body))}
	}
	without := func(name, want string) specimen {
		return specimen{name: "no " + name, step: wasm.StepSurface, reason: want, code: made(Transform{Omit: []string{name}})}
	}
	kind := func(name string, kind byte, index uint32, want string) specimen {
		return specimen{name: name + " that is no function", step: wasm.StepSurface, reason: want, code: made(Transform{
			Omit: []string{name}, Last: func(b *Builder) { b.Export(name, kind, index) },
		})}
	}
	const add = ": export it"
	return []specimen{
		without(abi.Describe, "no function under the name ll_describe_v1"+add),
		without(abi.Alloc, "no function under the name ll_alloc_v1"+add),
		without(abi.Transform, "no function under the name ll_transform_v1"+add),
		wrong(abi.Initialize, I32, None, Nop, "_initialize is (i32) -> (): make it () -> ()"),
		wrong(abi.Describe, None, I32, I32Const(0), "ll_describe_v1 is () -> (i32): make it () -> (i64)"),
		wrong(abi.Alloc, I64, I32, I32Const(0), "ll_alloc_v1 is (i64) -> (i32): make it (i32) -> (i32)"),
		wrong(abi.Transform, I32+I32+I32+I32, I32, I32Const(0), "make it (i32, i32, i32) -> (i32)"),
		wrong(abi.Error, None, I32+I32, I32Const(0)+I32Const(0), "ll_error_v1 is () -> (i32, i32): make it () -> (i64)"),
		kind(abi.Describe, KindGlobal, 0, "no function under the name ll_describe_v1"),
		kind(abi.Transform, KindMemory, 0, "no function under the name ll_transform_v1"),
		{name: "memory that is a function", step: wasm.StepSurface, reason: `no memory under the name "memory"`, code: func() []byte {
			b := Transform{}.Builder()
			b.Replace(SectionExport, U(1)+Name(abi.Memory)+"\x00\x00")
			return b.Bytes()
		}},
		{name: "memory that is not exported", step: wasm.StepSurface, reason: `no memory under the name "memory"`, code: func() []byte {
			b := Transform{}.Builder()
			b.Replace(SectionExport, U(1)+Name("memory2")+"\x02\x00")
			return b.Bytes()
		}},
		{name: "no exports at all", step: wasm.StepSurface, reason: "no memory", code: bare(func(*Builder) {})},
		{name: "the same export twice", step: wasm.StepParse, reason: `two exports are named "ll_alloc_v1"`, code: made(Transform{
			Last: func(b *Builder) { b.ExportFunc(abi.Alloc, 1) },
		})},
		{name: "an export of the host's own name", step: wasm.StepSurface, reason: `exports "livelab:fuel"`, code: made(Transform{
			Last: func(b *Builder) { b.Export("livelab:fuel", KindGlobal, b.Global(I64, true, I64Const(1<<60))) },
		})},
		{name: "an export of a function that is not there", step: wasm.StepParse, reason: "there are 3", code: made(Transform{
			Last: func(b *Builder) { b.ExportFunc("extra", 1000) },
		})},
		{name: "code that refills the tank by the global's index", step: wasm.StepParse, reason: "global 1 does not exist", code: made(Transform{
			Row: I64Const(1<<60) + GlobalSet(1) + friendly,
		})},
		{name: "a mutable global that is exported and begins like the host's", step: wasm.StepSurface, reason: `exports "livelab:"`, code: made(Transform{
			Last: func(b *Builder) { b.Export("livelab:", KindGlobal, 0) },
		})},
		{name: "a start section", step: wasm.StepParse, reason: "a start section: export _initialize instead", code: made(Transform{
			Last: func(b *Builder) { b.Start(b.Func(None, None, None, spin)) },
		})},
		{name: "calls of a function that is not there", step: wasm.StepParse, reason: "function 4242 does not exist", code: made(Transform{Row: Call(4242) + friendly})},
		{name: "a branch out of all blocks", step: wasm.StepParse, reason: "a branch out of 100 blocks", code: made(Transform{Row: Br(99) + friendly})},
		{name: "an operand of the wrong type", step: wasm.StepParse, reason: "needs a value of type", code: made(Transform{Row: I64Const(1) + I32Const(1) + I32Add + Drop + friendly})},
		{name: "more popped than pushed", step: wasm.StepParse, reason: "the stack is empty", code: made(Transform{Row: Drop + friendly})},
		{name: "atomics", step: wasm.StepParse, reason: "compile without threads", code: made(Transform{Row: "\xfe\x03\x00" + friendly})},
		{name: "a tail call", step: wasm.StepParse, reason: "compile without tail calls", code: made(Transform{Row: "\x12\x00" + friendly})},
		{name: "exceptions", step: wasm.StepParse, reason: "compile without exceptions", code: made(Transform{Row: "\x08\x00" + friendly})},
	}
}

func imports() []specimen {
	function := func(module_, name string, params, results Types, want string) specimen {
		return specimen{name: "import of " + module_ + "." + name, step: wasm.StepSurface, reason: want, code: made(Transform{
			First: func(b *Builder) { b.Import(module_, name, params, results) },
		})}
	}
	other := func(name string, what Code, want string) specimen {
		return specimen{name: "import of a " + name, step: wasm.StepParse, reason: want, code: made(Transform{
			First: func(b *Builder) { b.ImportRaw("env", name, what) },
		})}
	}
	const wasiName = abi.WASI
	no := func(name string) string { return "it imports " + wasiName + "." + name + ": use nothing but" }
	return []specimen{
		function("env", "system", I32, I32, "env.system: link it into the module"),
		function("env", "abort", I32+I32+I32+I32, None, "env.abort: build with --use abort="),
		function("wasi_unstable", "fd_write", I32+I32+I32+I32, I32, "it imports wasi_unstable.fd_write"),
		function(wasiName, "path_open", I32+I32+I32+I32+I32+I64+I64+I32+I32, I32, no("path_open")),
		function(wasiName, "fd_read", I32+I32+I32+I32, I32, no("fd_read")),
		function(wasiName, "fd_seek", I32+I64+I32+I32, I32, no("fd_seek")),
		function(wasiName, "sock_send", I32+I32+I32+I32+I32, I32, no("sock_send")),
		function(wasiName, "sock_accept", I32+I32+I32, I32, no("sock_accept")),
		function(wasiName, "clock_res_get", I32+I32, I32, no("clock_res_get")),
		function(wasiName, "proc_raise", I32, I32, no("proc_raise")),
		function(wasiName, "random_get", I64+I64, I32, "it imports random_get as (i64, i64) -> (i32): WASI has it as (i32, i32) -> (i32)"),
		function(wasiName, "proc_exit", I32, I32, "it imports proc_exit as (i32) -> (i32)"),
		function("livelab", "secret\x1b[2J\u202e", I32, I32, "it imports livelab.secret [2J : use nothing but"),
		other("memory", "\x02\x00\x01", "only functions may be imported"),
		other("global", "\x03\x7e\x01", "only functions may be imported"),
		other("table", "\x01\x70\x00\x01", "only functions may be imported"),
		{name: "70 imports", step: wasm.StepParse, reason: "70 imports, at most 64", code: made(Transform{First: func(b *Builder) {
			for range 70 {
				b.Import(wasiName, "sched_yield", None, I32)
			}
		}})},
	}
}

package hostile

import (
	"bytes"
	"compress/gzip"
	"strings"

	"livelab/runtime/wasm"
	. "livelab/runtime/wasm/wasmtest"
)

func files() []specimen {
	const noModule = "this is no WebAssembly file of version 1"
	file := func(name, reason string, code Code) specimen {
		return specimen{name: name, step: wasm.StepParse, reason: reason, code: raw(code)}
	}
	return []specimen{
		file("an empty file", noModule, ""),
		file("a text file", noModule, "#!/bin/sh\nrm -rf /\n"),
		file("the text format", noModule, "(module (func))"),
		file("a component", "build a core module, not a component", "\x00asm\x0d\x00\x01\x00"),
		file("version 2", noModule, "\x00asm\x02\x00\x00\x00"),
		file("an ELF file", noModule, "\x7fELF\x02\x01\x01"),
		{name: "a module in gzip", step: wasm.StepParse, reason: noModule, code: func() []byte {
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			_, _ = z.Write(Transform{}.Bytes())
			_ = z.Close()
			return packed.Bytes()
		}},
		{name: "nothing but the header", step: wasm.StepSurface, reason: "no memory", code: raw(Header)},
		{name: "a file of 10 MiB", step: wasm.StepSize, reason: "the file has 10485760 bytes: use at most 8388608", code: func() []byte { return make([]byte, 10<<20) }},
		{name: "a module and bytes after it", step: wasm.StepParse, reason: "section", code: func() []byte {
			return append(Transform{}.Bytes(), "PK\x03\x04 an archive"...)
		}},
		{name: "two modules, one after the other", step: wasm.StepParse, reason: "bytes are announced, only", code: func() []byte {
			return append(Transform{}.Bytes(), Transform{}.Bytes()...)
		}},
	}
}

func sections() []specimen {
	const order = "is repeated or out of order"
	const tooLong = "a number is too long or too large for its type"
	file := func(name, reason string, code Code) specimen {
		return specimen{name: name, step: wasm.StepParse, reason: reason, code: raw(Header + code)}
	}
	with := func(name, reason string, fill func(*Builder)) specimen {
		return specimen{name: name, step: wasm.StepParse, reason: reason, code: made(Transform{Last: fill})}
	}
	return []specimen{
		file("section 13", "section 13 is not in WebAssembly 2.0", Section(13, "")),
		file("section longer than the file", "only 0 are left", "\x01\xff\xff\xff\xff\x07"),
		file("section whose content is shorter", "too many", Section(SectionType, "\x00\x00\x00")),
		file("section length that does not end", tooLong, "\x01\xff\xff\xff\xff\xff\xff"),
		file("section length beyond 32 bits", tooLong, "\x01\xff\xff\xff\xff\x7f"),
		with("types twice", order, func(b *Builder) { b.Append(SectionType, "\x00") }),
		with("code before functions", order, func(b *Builder) { b.Prepend(SectionCode, "\x00") }),
		with("65 custom sections", "65 custom sections, at most 64", func(b *Builder) {
			for range 65 {
				b.Custom("note", "x")
			}
		}),
		with("a custom section whose name is 2000 bytes", "a name of 2000 bytes", func(b *Builder) { b.Custom(strings.Repeat("n", 2000), "") }),
		with("a custom section whose name is not UTF-8", "is not UTF-8", func(b *Builder) { b.Custom("\xff\xfe", "") }),
		with("a custom section whose name ends behind it", "127 bytes are announced, only 2 are left", func(b *Builder) { b.Append(SectionCustom, "\x7fab") }),
		with("fewer data segments than announced", "data segments are announced", func(b *Builder) { b.Replace(SectionDataCount, U(9)) }),
		{name: "more functions than bodies", step: wasm.StepParse, reason: "9 functions are declared and 1 have code", code: bare(func(b *Builder) {
			b.Replace(SectionFunction, U(9)+times(9, "\x00"))
		})},
		with("an export whose name is not UTF-8", "is not UTF-8", func(b *Builder) { b.ExportFunc("\xc3\x28", 0) }),
		{name: "64 custom sections of 100 KB", outcome: "admitted: what they hold is never looked at", code: made(Transform{Last: func(b *Builder) {
			for range 64 {
				b.Custom("note", strings.Repeat("x", 100_000))
			}
		}})},
		{name: "a name section of nonsense", outcome: "admitted: names are not looked at", code: made(Transform{Last: func(b *Builder) {
			b.Custom("name", "\x01\xff\xff\xff\xff\x0f\xff\xfe\xfd")
		}})},
		{name: "debug information of nonsense", outcome: "admitted: it is not looked at", code: made(Transform{Last: func(b *Builder) {
			b.Custom(".debug_info", strings.Repeat("\xff", 10_000))
			b.Custom(".debug_line", strings.Repeat("\x00\x01", 10_000))
		}})},
		{name: "numbers in longer forms than they need", outcome: "admitted: the format allows them", code: made(Transform{
			Row: "\x41\x80\x80\x80\x80\x00" + Drop + "\x42\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f" + Drop + friendly,
		})},
		{name: "a number of 6 bytes in 32 bits", step: wasm.StepParse, reason: tooLong, code: made(Transform{Row: "\x41\x80\x80\x80\x80\x80\x00" + Drop + friendly})},
		{name: "a number with bits beyond the 32nd", step: wasm.StepParse, reason: tooLong, code: made(Transform{Row: "\x41\x80\x80\x80\x80\x70" + Drop + friendly})},
	}
}

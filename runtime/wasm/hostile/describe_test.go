package hostile

import (
	"fmt"
	"strings"
	"testing"

	"livelab/plugins/abi"
	"livelab/runtime/wasm"
	. "livelab/runtime/wasm/wasmtest"
)

func descriptions() []specimen {
	good := Description("sample", "1.0.0", []string{"a", "b"}, []string{"ratio"})
	says := func(name, reason, text string) specimen {
		return specimen{name: name, step: wasm.StepDescribe, reason: reason, code: made(Transform{Describe: text})}
	}
	swap := func(old, with string) string {
		if !strings.Contains(good, old) {
			panic(old)
		}
		return strings.Replace(good, old, with, 1)
	}
	gives := func(name, reason string, at, length uint32) specimen {
		return specimen{name: name, step: wasm.StepDescribe, reason: reason,
			code: made(instead(abi.Describe, None, I64, I64Const(int64(uint64(at)<<32|uint64(length)))))}
	}
	const output = `{"name":"ratio","doc":"made by a test"}`
	return []specimen{
		gives("a description of 4 GiB", "the description has 4294967295 bytes: use at most 16384", 0, 1<<32-1),
		gives("a description out of memory", "outside of the memory", 2*page-4, 100),
		gives("a description at the end of 4 GiB", "outside of the memory", 1<<32-8, 16),
		gives("a description of no bytes", "not one JSON object", 0, 0),
		says("a description that is not UTF-8", "not UTF-8", swap("made by a test", "\xff\xfe")),
		says("a description that is no JSON", "not one JSON object", "name=sample"),
		says("a description that is cut off", "not one JSON object", good[:len(good)-1]),
		says("two descriptions", "not one JSON object", good+good),
		says("a description nested 8000 deep", "an object is needed", strings.Repeat("[", 8000)+strings.Repeat("]", 8000)),
		says("a description with NaN", "not one JSON object", swap(output, `{"name":"ratio","min":NaN}`)),
		says("a description with a number out of range", "is out of range", swap(output, `{"name":"ratio","max":1e999}`)),
		says("a key twice", `"name" is there twice`, swap(`"version":"1.0.0"`, `"name":"other"`)),
		says("a field that is not known", `"homepage" is not known`, swap(`"version":"1.0.0"`, `"homepage":"http://example.com"`)),
		says("no inputs", "no inputs", swap(`{"name":"a"},{"name":"b"}`, "")),
		says("no outputs", "no outputs", swap(output, "")),
		says("an input twice", `"a" is there twice`, swap(`{"name":"b"}`, `{"name":"a"}`)),
		says("an output twice", `"ratio" is there twice`, swap(output, output+","+output)),
		says("least above most", "is above max", swap(output, `{"name":"ratio","min":2,"max":1}`)),
		says("a name that is a path", `name "../../etc/passwd"`, swap(`"sample"`, `"../../etc/passwd"`)),
		says("a name that is a script", "name \"<script>", swap(`"sample"`, `"<script>alert(1)</script>"`)),
		says("a terminal escape in a doc", "U+001B", swap("made by a test", `\u001b[2J`)),
		says("a text that runs backwards", "U+202E", swap("made by a test", `\u202egpj.exe`)),
		says("257 outputs", "at most 256", swap(output, manyOutputs(257))),
		{name: "an input that nobody has", step: wasm.StepInputs, reason: `it reads "passwords", and there is no such column`,
			code: made(Transform{Inputs: []string{"a", "passwords"}})},
		{name: "an input that is its own output", step: wasm.StepInputs, reason: "which is its own output",
			code: made(Transform{Inputs: []string{"a", "sample.ratio"}})},
		{name: "a description that is another one the second time", outcome: "admitted: it is asked once", code: made(describesTwice()), use: asked},
		{name: "a doc of HTML", outcome: "admitted: the text is shown as text", code: made(Transform{
			Describe: swap("made by a test", `<img src=x onerror=alert(1)>`),
		})},
	}
}

func manyOutputs(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`{"name":"o%d"}`, i))
	}
	return strings.Join(list, ",")
}

// describesTwice calls itself sample first, and simple from then on.
func describesTwice() Transform {
	first := Description("sample", "1.0.0", []string{"a", "b"}, []string{"ratio"})
	second := Description("simple", "1.0.0", []string{"a", "b"}, []string{"ratio"})
	t := Transform{Omit: []string{abi.Describe}}
	t.Last = func(b *Builder) {
		asked := b.Global(I32, true, I32Const(0))
		b.Data(I32Const(low), second)
		b.ExportFunc(abi.Describe, b.Func(None, I64, None,
			GlobalGet(asked), I32Const(1), GlobalSet(asked),
			"\x04"+Code(I64), I64Const(low<<32|int64(len(second))), Else,
			I64Const(descriptionAt<<32|int64(len(first))), End))
	}
	return t
}

// asked holds that a transform is called what it said first, of whatever
// instance.
func asked(t *testing.T, tr *wasm.Transform) {
	if name := tr.Spec().Name; name != "sample" {
		t.Errorf("it is called %q", name)
	}
}

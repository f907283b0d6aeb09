package wasm

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"livelab/runtime/wasm/meter"
	"livelab/runtime/wasm/module"
	w "livelab/runtime/wasm/wasmtest"
)

func section(id byte, content []byte) []byte {
	return append(module.AppendU32([]byte{id}, uint32(len(content))), content...)
}

func dataOf(segments ...segment) []byte {
	out := module.AppendU32(nil, uint32(len(segments)))
	for _, s := range segments {
		out = module.AppendS64(append(out, 0, byte(module.OpI32Const)), int64(int32(uint32(s.at))))
		out = module.AppendU32(append(out, byte(module.OpEnd)), uint32(len(s.content)))
		out = append(out, s.content...)
	}
	return out
}

// segmentsOf a data section, all plain.
func segmentsOf(t *testing.T, data []byte) (all []segment) {
	t.Helper()
	n, size := module.U32(data)
	for rest := data[size:]; n > 0; n-- {
		s, after, plain, err := cutSegment(rest)
		if err != nil || !plain {
			t.Fatalf("segment %d: plain %v, %v", len(all), plain, err)
		}
		all, rest = append(all, s), after
	}
	return all
}

// fill memory as the engine does.
func fill(segments []segment) []byte {
	memory := make([]byte, 1<<12)
	for _, s := range segments {
		copy(memory[s.at:], s.content)
	}
	return memory
}

func TestDataIsJoined(t *testing.T) {
	t.Parallel()
	one := []byte("one")
	for name, test := range map[string]struct {
		segments []segment
		want     int // segments
	}{
		"none":         {nil, 0},
		"touching":     {[]segment{{10, one}, {13, one}}, 1},
		"near":         {[]segment{{10, one}, {13 + nearSegments, one}}, 1},
		"far":          {[]segment{{10, one}, {14 + nearSegments, one}}, 2},
		"backwards":    {[]segment{{200, one}, {10, one}, {13, one}}, 2},
		"overlapping":  {[]segment{{10, one}, {11, one}}, 2},
		"in a gap":     {[]segment{{20, one}, {10, one}, {30, one}}, 3},
		"high address": {[]segment{{1<<32 - 8, one}, {1<<32 - 4, one}}, 1},
	} {
		data := dataOf(test.segments...)
		got, err := joinData(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if all := segmentsOf(t, got); len(all) != test.want {
			t.Errorf("%s: joined to %d segments, want %d", name, len(all), test.want)
		}
	}
}

func TestJoinedDataIsTheSame(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	joined := 0
	for range 2000 {
		var segments []segment
		at := 0
		for range random.IntN(6) {
			if random.IntN(6) == 0 {
				at = random.IntN(1000)
			}
			content := bytes.Repeat([]byte{byte(1 + random.IntN(255))}, random.IntN(40))
			segments = append(segments, segment{uint64(at), content})
			at += len(content) + random.IntN(2*nearSegments)
		}
		got, err := joinData(dataOf(segments...))
		if err != nil {
			t.Fatal(err)
		}
		all := segmentsOf(t, got)
		if !bytes.Equal(fill(all), fill(segments)) {
			t.Fatalf("%v became %v", segments, all)
		}
		joined += len(segments) - len(all)
	}
	if joined < 1000 {
		t.Errorf("only %d segments were joined", joined)
	}
}

// Code that names segments, and segments of another kind, keep them.
func TestDataIsLeft(t *testing.T) {
	t.Parallel()
	near := dataOf(segment{10, []byte("one")}, segment{13, []byte("two")})
	header := []byte("\x00asm\x01\x00\x00\x00")
	counted := append(append(bytes.Clone(header), section(dataCountSection, []byte{2})...), section(dataSection, near)...)
	if got, err := outlineOf(counted); err != nil || !bytes.Equal(got, counted) {
		t.Errorf("with a count: got %x, %v", got, err)
	}
	passive := []byte{2, 1, 1, 'x', 1, 1, 'y'}
	if got, err := joinData(passive); err != nil || !bytes.Equal(got, passive) {
		t.Errorf("passive: got %x, %v", got, err)
	}
	if got, err := outlineOf(append(header, section(dataSection, near)...)); err != nil || bytes.HasSuffix(got, near) {
		t.Errorf("without a count: got %x, %v", got, err)
	}
}

// An outline differs in functions' bodies, and gives nothing away of them.
func TestOutline(t *testing.T) {
	t.Parallel()
	limits := module.DefaultLimits()
	m, err := module.Parse(w.Transform{}.Bytes(), limits)
	if err != nil {
		t.Fatal(err)
	}
	metered, err := meter.Rewrite(m, meter.Options{MaxPages: 16})
	if err != nil {
		t.Fatal(err)
	}
	code, err := outlineOf(metered.Code)
	if err != nil {
		t.Fatal(err)
	}
	want, err := module.Parse(metered.Code, limits)
	if err != nil {
		t.Fatal(err)
	}
	got, err := module.Parse(code, limits)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Funcs) != len(want.Funcs) || len(got.Exports) != len(want.Exports) || len(got.Globals) != len(want.Globals) {
		t.Errorf("got %d functions, %d exports, %d globals, want %d, %d, %d", len(got.Funcs), len(got.Exports), len(got.Globals),
			len(want.Funcs), len(want.Exports), len(want.Globals))
	}
	for i, f := range got.Funcs {
		if f.Type != want.Funcs[i].Type || f.Size > len(trapBody) {
			t.Errorf("function %d has type %d and %d bytes, want type %d and a trap", i, f.Type, f.Size, want.Funcs[i].Type)
		}
	}
	for cut := range metered.Code {
		_, _ = outlineOf(metered.Code[:cut]) // may fail, and does not panic
	}
}

// Where the engine does not find machine code by the outline, it compiles
// traps. These do not answer as was pinned.
func TestTrapsAreNotServed(t *testing.T) {
	t.Parallel()
	folder, code := t.TempDir(), w.Transform{}.Bytes()
	admit(t, newHost(t, func(c *Config) { c.CacheFolder = folder }), code)
	files, err := filepath.Glob(filepath.Join(folder, "*", nativeDir, "*", "*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	name := filepath.Base(files[0])
	other := strings.Repeat("0", len(name))
	if err := os.Rename(files[0], filepath.Join(filepath.Dir(files[0]), other)); err != nil {
		t.Fatal(err)
	}
	editRecord(t, folder, name, other)
	if recall(t, folder, code) != nil {
		t.Error("the entry was used")
	}
}

// Without a compiler for the machine, the module itself is kept.
func TestWithoutMachineCode(t *testing.T) {
	t.Parallel()
	j := job{Outline: filepath.Join(t.TempDir(), outlineFile)}
	if err := j.give("", []byte("module")); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(j.Outline); err != nil || string(got) != "module" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestForgetCode(t *testing.T) {
	t.Parallel()
	code := w.Transform{}.Bytes()
	want := admit(t, newHost(t, nil), code)
	got := admit(t, newHost(t, func(c *Config) { c.ForgetCode = true }), code)
	if !bytes.Equal(want.Code(), code) || got.Code() != nil || got.Spec().Digest != want.Spec().Digest {
		t.Errorf("the code has %d and %d bytes, the digests are %s and %s", len(want.Code()), len(got.Code()),
			want.Spec().Digest, got.Spec().Digest)
	}
}

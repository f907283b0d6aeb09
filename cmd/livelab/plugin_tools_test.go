package main

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"livelab/plugins/abi"
	"livelab/runtime/wasm/wasmtest"
)

// TestPluginToolsScript runs the scenarios in testdata/plugintools. They need no
// compiler: the command
//
//	module KIND FILE   writes a module that the test puts together, or a pipe
//
// makes what they check, and
//
//	digest NAME, same NAME, differs NAME
//
// keep the model digest that the last command printed as JSON, and compare it.
func TestPluginToolsScript(t *testing.T) {
	t.Parallel()
	p := scriptParams("testdata/plugintools")
	p.Cmds["module"] = scriptModule
	for _, verb := range []string{"digest", "same", "differs"} {
		p.Cmds[verb] = func(ts *testscript.TestScript, neg bool, args []string) { scriptDigest(ts, verb, args) }
	}
	p.Setup = func(e *testscript.Env) error {
		e.Setenv("LIVELAB_TRANSFORM_CACHE", filepath.Join(transformCache, "tools"))
		return nil
	}
	testscript.Run(t, p)
}

// crowding is a transform of columns that there are.
var crowding = wasmtest.Transform{Name: "crowding", Inputs: []string{"free_bikes", "empty_slots"}, Outputs: []string{"share"}}

func modules() map[string][]byte {
	newer, reader, stateful, socket, printing := crowding, crowding, crowding, crowding, crowding
	newer.Version = "2.0.0"
	reader.Inputs = []string{"phase_of_the_moon", "empty_slots"}
	// It answers with how many rows it has ever seen.
	stateful.First = func(b *wasmtest.Builder) { b.Global(wasmtest.F64, true, wasmtest.F64Const(0)) }
	stateful.Row = wasmtest.GlobalGet(0) + wasmtest.F64Const(1) + wasmtest.F64Add + wasmtest.GlobalSet(0) +
		wasmtest.Out(0, wasmtest.GlobalGet(0))
	socket.First = func(b *wasmtest.Builder) {
		b.Import(abi.WASI, "sock_accept", wasmtest.I32+wasmtest.I32+wasmtest.I32, wasmtest.I32)
	}
	// It prints "\x1b[2J" and a line.
	const text, vector, written = 16, 0, 8
	printing.First = func(b *wasmtest.Builder) {
		b.Import(abi.WASI, "fd_write", wasmtest.I32+wasmtest.I32+wasmtest.I32+wasmtest.I32, wasmtest.I32)
	}
	printing.Last = func(b *wasmtest.Builder) { b.Data(wasmtest.I32Const(text), "\x1b[2Jhello\n") }
	printing.Init = wasmtest.I32Const(vector) + wasmtest.I32Const(text) + wasmtest.At(wasmtest.I32Store, 0) +
		wasmtest.I32Const(vector) + wasmtest.I32Const(10) + wasmtest.At(wasmtest.I32Store, 4) +
		wasmtest.I32Const(2) + wasmtest.I32Const(vector) + wasmtest.I32Const(1) + wasmtest.I32Const(written) +
		wasmtest.Call(0) + wasmtest.Drop
	// They read each other, or fail on some rows.
	after := wasmtest.Transform{Name: "after", Inputs: []string{"crowding.share", "empty_slots"}, Outputs: []string{"share"}}
	one := wasmtest.Transform{Name: "one", Inputs: []string{"two.share", "empty_slots"}, Outputs: []string{"share"}}
	two := wasmtest.Transform{Name: "two", Inputs: []string{"one.share", "empty_slots"}, Outputs: []string{"share"}}
	noon := wasmtest.Transform{Name: "noon", Inputs: []string{"hour_sin"}, Outputs: []string{"share"}}
	noon.Row = wasmtest.In(0) + wasmtest.F64Const(0.99) + wasmtest.F64Gt +
		wasmtest.If(wasmtest.Empty, wasmtest.I32Const(1), wasmtest.Return) + wasmtest.Out(0, wasmtest.In(0))
	whole := crowding.Bytes()
	return map[string][]byte{
		"crowding": whole, "crowding2": newer.Bytes(), "moon": reader.Bytes(), "stateful": stateful.Bytes(),
		"after": after.Bytes(), "one": one.Bytes(), "two": two.Bytes(), "noon": noon.Bytes(),
		"socket": socket.Bytes(), "printing": printing.Bytes(), "half": whole[:len(whole)/2],
	}
}

func scriptModule(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: module KIND FILE")
	}
	path := ts.MkAbs(args[1])
	if args[0] == "pipe" {
		ts.Check(syscall.Mkfifo(path, 0o600))
		return
	}
	code, ok := modules()[args[0]]
	if !ok {
		ts.Fatalf("there is no kind of module %q", args[0])
	}
	ts.Check(os.WriteFile(path, code, 0o600))
}

func scriptDigest(ts *testscript.TestScript, verb string, args []string) {
	var trained struct{ Digest string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &trained))
	variable := "DIGEST_" + args[0]
	kept := ts.Getenv(variable)
	switch {
	case trained.Digest == "":
		ts.Fatalf("no digest was printed")
	case verb == "digest":
		ts.Setenv(variable, trained.Digest)
	case (kept == trained.Digest) != (verb == "same"):
		ts.Fatalf("the digest is %s, was %s", trained.Digest, kept)
	}
}

// TestPluginJSON holds the names that programs read.
func TestPluginJSON(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "crowding.wasm")
	if err := os.WriteFile(file, crowding.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	cache := "--transform-cache=" + filepath.Join(transformCache, "tools")
	for command, want := range map[string]string{
		"check": "accepted budget description digest facts file golden steps",
		"bench": "digest file name native_loop rounds sizes version",
	} {
		args := []string{"plugin", command, file, "--json", cache}
		if command == "bench" {
			args = append(args, "--rounds=1", "--slice=1us")
		}
		var out, said strings.Builder
		if code := run(t.Context(), args, &out, &said); code != 0 {
			t.Fatalf("%s: exit %d: %s", command, code, said.String())
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal([]byte(out.String()), &fields); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(slices.Sorted(maps.Keys(fields)), " "); got != want {
			t.Errorf("%s prints the fields %s, want %s", command, got, want)
		}
	}
}

// TestDropIn drops files into the folder of a server that serves nothing yet:
// the folder comes later than the server, one file is whole, one is not, one is
// refused.
func TestDropIn(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	p := s.start(t, "serve")
	// A program that `make build` has built ships transforms, too.
	empty := func() bool {
		body := p.get(t, "/plugins").body
		return strings.HasPrefix(body, `{"plugins":[`) && !strings.Contains(body, `"shipped":false`)
	}
	if !empty() {
		t.Error("there are plugins without a folder")
	}
	dir := filepath.Join(s.dir, "plugins")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, kind := range map[string]string{"crowding.wasm": "crowding", "bad.wasm": "stateful", ".crowding2.wasm": "crowding2"} {
		if err := os.WriteFile(filepath.Join(dir, name), modules()[kind], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	listed := func(part string) {
		t.Helper()
		eventually(t, part, func() bool { return strings.Contains(p.get(t, "/plugins").body, part) })
	}
	listed(`"available":true,"name":"crowding","version":"1.0.0"`)
	listed(`"file":"bad.wasm","shipped":false,"state":"refused","reason":"at the step probe: `)
	if err := os.Rename(filepath.Join(dir, ".crowding2.wasm"), filepath.Join(dir, "crowding.wasm")); err != nil {
		t.Fatal(err)
	}
	listed(`"available":true,"name":"crowding","version":"2.0.0"`)
	metrics := p.get(t, "/metrics").body
	for _, want := range []string{`livelab_plugins{state="offered"} `, `livelab_plugins{state="refused"} 1`, `livelab_transform_rows_total{digest="`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	eventually(t, "an empty list", empty)
	p.stop(t)
}

// TestCheckStopped holds that a check which is broken off says nothing about
// the file.
func TestCheckStopped(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "crowding.wasm")
	if err := os.WriteFile(file, crowding.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var out, said strings.Builder
	code := run(ctx, []string{"plugin", "check", file, "--transform-cache", t.TempDir()}, &out, &said)
	if code != exitFailed || said.String() != "livelab: stopped\n" || out.String() != "" {
		t.Errorf("exit code %d: %q, %q", code, said.String(), out.String())
	}
}

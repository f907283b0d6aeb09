package catalogue

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestSameNameTwice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.write("a.wasm", "calendar 1")
	b.write("b.wasm", "calendar 2")
	b.settle()
	one, two := digest("calendar 1"), digest("calendar 2")
	b.fails("calendar", "offered by 2 files", "calendar@"+one[:12]+` ("a.wasm")`, "calendar@"+two[:12]+` ("b.wasm")`)
	b.resolves("calendar@"+one[:12], "calendar 1")
	b.resolves("calendar@"+two, "calendar 2")
	if got := b.Entries(); len(got) != 2 || !got[0].Available || !got[1].Available {
		t.Errorf("listed %+v", got)
	}
	b.fails("calendar@123", "at least 4 digits")
	b.fails("calendar@", "at least 4 digits")
	b.fails("calendar@0000", "there is no transform")
	b.fails("comfort", "there is no transform", "offered are calendar;")
}

// TestSameBytesTwice holds that copies are judged once and are no ambiguity.
func TestSameBytesTwice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.write("a.wasm", "calendar 1")
	b.write("b.wasm", "calendar 1")
	b.settle()
	b.resolves("calendar", "calendar 1")
	if n := len(b.judge.judged); n != 1 {
		t.Errorf("judged %d times", n)
	}
	b.is("a.wasm", Offered, "")
	b.is("b.wasm", Offered, "")
}

func TestShippedYield(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *Config) {
		c.Shipped = []Shipped{{"pressure.wasm", []byte("pressure 1")}, {"calendar.wasm", []byte("calendar 1")}}
	})
	b.fails("calendar", "not offered yet, calendar.wasm is checking")
	b.settle()
	b.resolves("calendar", "calendar 1")
	b.write("mine.wasm", "calendar 2")
	b.settle()
	b.resolves("calendar", "calendar 2")
	b.resolves("calendar@"+digest("calendar 1")[:8], "calendar 1")
	b.resolves("pressure", "pressure 1")
	var files []string
	for _, e := range b.Entries() {
		files = append(files, e.File)
		if e.Shipped && e.Name == "calendar" && !strings.Contains(e.Reason, `means "mine.wasm" of the folder; this one is calendar@`) {
			t.Errorf("the shipped one that yields says %q", e.Reason)
		}
	}
	if got := strings.Join(files, " "); got != "mine.wasm calendar.wasm pressure.wasm" {
		t.Errorf("listed %s", got)
	}

	// A file that is refused offers no name, and none yields to it.
	b.write("mine.wasm", "bad day")
	b.settle()
	b.resolves("calendar", "calendar 1")

	b.write("mine.wasm", "calendar 1") // the shipped one itself
	b.settle()
	b.resolves("calendar", "calendar 1")
	for _, e := range b.Entries() {
		if e.Reason != "" {
			t.Errorf("%s says %q", e.File, e.Reason)
		}
	}
}

// TestRefusedNameOfShipped holds that a refused file of the shipped one's name
// does not hide it from a look by name.
func TestRefusedNameOfShipped(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *Config) { c.Shipped = []Shipped{{"calendar.wasm", []byte("calendar 1")}} })
	b.write("calendar.wasm", "bad day")
	b.settle()
	b.resolves("calendar", "calendar 1")
}

func TestEntryAsJSON(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.write("a.wasm", "calendar 1")
	b.write("b.wasm", "bad day")
	b.settle()
	got, err := json.Marshal(b.List())
	b.must(err)
	want := `{"plugins":[` +
		`{"file":"a.wasm","shipped":false,"state":"offered","since":"2026-05-11T12:00:00Z","size":10,` +
		`"available":true,"name":"calendar","version":"1.0.0","digest":"` + digest("calendar 1") + `","doc":"what calendar is",` +
		`"inputs":["free_bikes"],"outputs":[{"name":"share","doc":"a share","min":0}]},` +
		`{"file":"b.wasm","shipped":false,"state":"refused","reason":"day","since":"2026-05-11T12:00:00Z","size":7,` +
		`"available":false,"name":"","version":"","digest":"","inputs":[],"outputs":[]}]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	if _, err := New(Config{}); err == nil {
		t.Error("a catalogue without an admitter")
	}
	nobody := admitFunc(func(context.Context, []byte) (Admitted, error) { return Admitted{}, errors.New("no") })
	if _, err := New(Config{Admitter: nobody, MaxFiles: -1}); err == nil {
		t.Error("a catalogue of -1 files")
	}
	c, err := New(Config{Admitter: nobody})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Load(t.Context()); err != nil {
		t.Errorf("without a folder: %v", err)
	}
	if _, err := c.Resolve("calendar"); err == nil || !strings.Contains(err.Error(), "no transform is offered at all") {
		t.Errorf("got %v", err)
	}
}

package rulesfile

import (
	"strings"
	"testing"
)

type rules struct {
	Share float64 `yaml:"share"`
	On    bool    `yaml:"on"`
}

func TestDecode(t *testing.T) {
	t.Parallel()
	base := rules{Share: 0.5, On: true}
	for _, test := range []struct {
		name, file string
		want       rules
		err        string // "" for none
	}{
		{name: "empty", file: "", want: base},
		{name: "comments alone", file: "# nothing\n", want: base},
		{name: "one key", file: "share: 0.2\n", want: rules{Share: 0.2, On: true}},
		{name: "an empty value", file: "on:\n", want: base},
		{name: "unknown key", file: "shere: 1\n", err: `unknown field "shere"`},
		{name: "another kind", file: "on: 3\n", err: `line 1: "3" must be true or false`},
		{name: "two documents", file: "share: 1\n---\nshare: 2\n", err: "second document"},
		{name: "a huge file", file: strings.Repeat("#", MaxBytes+1), err: "no rules file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := Decode([]byte(test.file), base)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Fatalf("got %v, want %q", err, test.err)
				}
				return
			}
			if err != nil || got != test.want {
				t.Fatalf("got %+v, %v", got, err)
			}
		})
	}
}

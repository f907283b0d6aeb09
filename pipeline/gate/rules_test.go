package gate

import (
	"strings"
	"testing"

	"livelab/pipeline/rulesfile"
)

func TestDefaultRules(t *testing.T) {
	t.Parallel()
	want := Rules{
		MinTestPositives: 100, MinF1: 0.60, MaxF1BelowPersistence: 0.01, MaxF1BelowChampion: 0.01,
		BrierBetterThanPersistence: true, BrierNotWorseThanChampion: true, PRAUCAboveClimatology: true,
		MaxECE: 0.05, Bootstrap: Bootstrap{Resamples: 2000, Seed: 1},
	}
	if got := DefaultRules(); got != want {
		t.Fatalf("got %+v", got)
	}
}

func TestParseRules(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, file string
		want       func(*Rules)
		err        string // "" for none
	}{
		{name: "empty file", file: "", want: func(*Rules) {}},
		{name: "comments alone", file: "# nothing\n", want: func(*Rules) {}},
		{name: "the default file", file: string(DefaultRulesYAML), want: func(*Rules) {}},
		{name: "one key", file: "min_f1: 0.7\n", want: func(r *Rules) { r.MinF1 = 0.7 }},
		{name: "an empty value", file: "min_f1:\n", want: func(*Rules) {}},
		{name: "part of a block", file: "bootstrap:\n  seed: 9\n", want: func(r *Rules) { r.Bootstrap.Seed = 9 }},
		{name: "unknown key", file: "max_ece: 0.1\nmin_f2: 1\n", err: "[2:1] unknown field \"min_f2\""},
		{name: "unknown key in a block", file: "bootstrap:\n  sed: 1\n", err: "[2:3] unknown field \"sed\""},
		{name: "key twice", file: "min_f1: 0.7\nmin_f1: 0.8\n", err: "already defined at [1:1]"},
		{name: "not a number", file: "min_f1: high\n", err: `line 1: "high" must be a number`},
		{name: "not a truth", file: "pr_auc_above_climatology: 1\n", err: `line 1: "1" must be true or false`},
		{name: "NaN", file: "max_ece: .nan\n", err: "max_ece is NaN, must be 0 to 1"},
		{name: "over the bound", file: "min_f1: 60\n", err: "min_f1 is 60, must be 0 to 1"},
		{name: "under the bound", file: "max_f1_below_champion: -0.1\n", err: "must be 0 to 1"},
		{name: "no positives", file: "min_test_positives: 0\n", err: "must be at least 1"},
		{name: "a fraction of a positive", file: "min_test_positives: 1.5\n", err: "whole number"},
		{name: "few resamples", file: "bootstrap: {resamples: 10}\n", err: "must be 100 to 100000"},
		{name: "two documents", file: "min_f1: 0.5\n---\nmin_f1: 0.6\n", err: "second document"},
		{name: "a list", file: "- a\n", err: "mapping is expected"},
		{name: "a huge file", file: strings.Repeat("#", rulesfile.MaxBytes+1), err: "no rules file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseRules([]byte(test.file))
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Fatalf("got %v, want %q", err, test.err)
				}
				return
			}
			want := DefaultRules()
			test.want(&want)
			if err != nil || got != want {
				t.Fatalf("got %+v, %v", got, err)
			}
		})
	}
}

func FuzzParseRules(f *testing.F) {
	f.Add(DefaultRulesYAML)
	f.Add([]byte("bootstrap: {seed: 1}\nmin_f1: .inf\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRules(b)
		if err != nil {
			return
		}
		if err := r.Validate(); err != nil {
			t.Fatalf("rules that do not hold were read: %v", err)
		}
	})
}

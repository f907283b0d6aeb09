package gate

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"livelab/pipeline/metrics"
)

var update = flag.Bool("update", false, "write the golden files anew")

func goldenCases() map[string]func() (Candidate, *Candidate) {
	return map[string]func() (Candidate, *Candidate){
		"pass": func() (Candidate, *Candidate) {
			c := usual.candidate()
			champion := c.asChampion()
			for i, p := range champion.Sample.Model {
				champion.Sample.Model[i] = float64(0.9*p) + 0.05
			}
			return c, champion
		},
		"fail": func() (Candidate, *Candidate) {
			c := usual.candidate()
			c.Threshold = 0.945
			return c, nil
		},
		"inconclusive": func() (Candidate, *Candidate) {
			c := world{days: 5, tendency: 0.3, surprise: 0.05, change: 0.12}.candidate()
			c.ChampionAbsent = "the champion answers for 30 minutes ahead, this model for 60"
			return c, nil
		},
		"insufficient_data": func() (Candidate, *Candidate) {
			c := usual.candidate()
			clear(c.Sample.Outcome)
			return c, nil
		},
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, make := range goldenCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, champion := make()
			v := judge(t, DefaultRules(), c, champion)
			if string(v.Result) != name {
				t.Fatalf("got %s", v.Result)
			}
			b, err := v.JSON()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".json", b)
			golden(t, name+".md", v.Markdown())
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-golden +now; -update writes it anew):\n%s", name, diff)
	}
}

func TestVerdictDoesNotDependOnCores(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	c := usual.candidate()
	var want []byte
	for _, n := range []int{1, 2, 8} {
		runtime.GOMAXPROCS(n)
		got, err := judge(t, DefaultRules(), c, c.asChampion()).JSON()
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		if !bytes.Equal(want, got) {
			t.Fatalf("another verdict on %d cores", n)
		}
	}
}

// drawCandidate makes one from anything: few rows, ties in time, one class.
func drawCandidate(t *rapid.T) Candidate {
	c := world{}.candidate()
	c.Threshold = rapid.Float64Range(0, 1).Draw(t, "threshold")
	at := int64(1_763_000_000)
	for range rapid.IntRange(0, 60).Draw(t, "rows") {
		at += rapid.SampledFrom([]int64{0, 600, 40_000}).Draw(t, "gap")
		c.Sample.At = append(c.Sample.At, at)
		c.Sample.Outcome = append(c.Sample.Outcome, rapid.Bool().Draw(t, "outcome"))
		c.Sample.ShortNow = append(c.Sample.ShortNow, rapid.Bool().Draw(t, "now"))
		c.Sample.Model = append(c.Sample.Model, rapid.Float64Range(0, 1).Draw(t, "model"))
		c.Sample.Climatology = append(c.Sample.Climatology, rapid.Float64Range(0, 1).Draw(t, "climatology"))
	}
	return c
}

func TestVerdictProperties(t *testing.T) {
	t.Parallel()
	rules := DefaultRules()
	rules.MinTestPositives, rules.Bootstrap.Resamples = 5, 100
	rapid.Check(t, func(t *rapid.T) {
		c := drawCandidate(t)
		champion := c.asChampion()
		for i := range champion.Sample.Model {
			champion.Sample.Model[i] = rapid.Float64Range(0, 1).Draw(t, "champion")
		}
		v, err := Judge(rules, c, champion)
		if err != nil {
			t.Fatal(err)
		}
		b, err := v.JSON()
		if err != nil {
			t.Fatal(err)
		}
		again, _ := Judge(rules, c, champion)
		if twice, _ := again.JSON(); !bytes.Equal(b, twice) {
			t.Fatal("the same input gives another verdict")
		}
		if _, err := ParseVerdict(b); err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		swapped, rival := swapTies(c), swapTies(*champion)
		w, err := Judge(rules, swapped, &rival)
		if err != nil {
			t.Fatal(err)
		}
		sameUpToRounding(t, v, w)
	})
}

// swapTies reverses neighbours of the same time: the rows are the same.
func swapTies(c Candidate) Candidate {
	s := &c.Sample
	s.Outcome, s.ShortNow = append([]bool(nil), s.Outcome...), append([]bool(nil), s.ShortNow...)
	s.Model, s.Climatology = append([]float64(nil), s.Model...), append([]float64(nil), s.Climatology...)
	for i := 1; i < s.Len(); i += 2 {
		if s.At[i] == s.At[i-1] {
			s.Outcome[i], s.Outcome[i-1] = s.Outcome[i-1], s.Outcome[i]
			s.ShortNow[i], s.ShortNow[i-1] = s.ShortNow[i-1], s.ShortNow[i]
			s.Model[i], s.Model[i-1] = s.Model[i-1], s.Model[i]
			s.Climatology[i], s.Climatology[i-1] = s.Climatology[i-1], s.Climatology[i]
		}
	}
	return c
}

func sameUpToRounding(t *rapid.T, v, w Verdict) {
	for i, r := range v.Rules {
		for _, pair := range [][2]metrics.Score{
			{r.Value, w.Rules[i].Value}, {r.Limit, w.Rules[i].Limit}, {r.Low, w.Rules[i].Low}, {r.High, w.Rules[i].High},
		} {
			a, b := float64(pair[0]), float64(pair[1])
			if math.IsNaN(a) != math.IsNaN(b) || math.Abs(a-b) > 1e-12 {
				t.Fatalf("%s: %v became %v by the order of rows of one time", r.Name, a, b)
			}
		}
	}
}

func TestParseVerdictRefuses(t *testing.T) {
	t.Parallel()
	c := usual.candidate()
	c.Threshold = 0.945
	b, err := judge(t, DefaultRules(), c, nil).JSON()
	if err != nil {
		t.Fatal(err)
	}
	good := string(b)
	for _, test := range []struct{ name, old, now, want string }{
		{"result", `"result": "fail",`, `"result": "pass",`, "the rules give"},
		{"whitespace", `"format": 1,`, `"format":  1,`, "canonical"},
		{"format", `"format": 1,`, `"format": 2,`, "judge again"},
		{"unknown key", `"format": 1,`, `"format": 1, "x": 1,`, "unknown field"},
		{"digest", ourDigest, "abc", "SHA-256"},
		{"rule's limit", `"limit": 0.6,`, `"limit": 0.99,`, "its numbers say"},
		{"rule's name", `"name": "ece"`, `"name": "luck"`, "the gate's is"},
		{"cut short", good[len(good)/2:], "", "unexpected EOF"},
		{"more after it", good, good + "{}", "more after"},
		{"nothing", good, "", "EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			spoilt := strings.Replace(good, test.old, test.now, 1)
			if _, err := ParseVerdict([]byte(spoilt)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
		})
	}
}

func FuzzParseVerdict(f *testing.F) {
	for name := range goldenCases() {
		b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := ParseVerdict(b)
		if err != nil {
			return
		}
		if again, err := v.JSON(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("what was read is not what is written: %v", err)
		}
		v.Markdown() // must not panic
	})
}

func TestApart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		x, y        float64
		left, right string
	}{
		{0.85, 0.6, "0.8500", "0.6000"},
		{0.59999, 0.6, "0.59999", "0.60000"},
		{1e-7, 0, "0.0000001", "0"},
		{-1e-7, 0, "-0.0000001", "0"},
		{60, 100, "60", "100"},
		{100, 100, "100", "100"},
		{0.6, 0.6, "0.6000", "0.6000"},
		{math.NaN(), 0.6, "", "0.6000"},
		{math.NaN(), math.NaN(), "", ""},
	} {
		if left, right := apart(test.x, test.y); left != test.left || right != test.right {
			t.Errorf("apart(%v, %v) is %q, %q", test.x, test.y, left, right)
		}
	}
}

func BenchmarkJudge10000Rows(b *testing.B) {
	c := world{days: 208, tendency: 0.3, surprise: 0.05, change: 0.12}.candidate()
	champion := c.asChampion()
	for b.Loop() {
		if _, err := Judge(DefaultRules(), c, champion); err != nil {
			b.Fatal(err)
		}
	}
}

// TestCellIsReadableAsText holds a question to being readable on a terminal,
// too, without letting markup through.
func TestCellIsReadableAsText(t *testing.T) {
	t.Parallel()
	if got, want := cell("free_bikes(t+60min) <= 0 <b> a|b"), `free_bikes(t+60min) ≤ 0 &lt;b> a\|b`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

package hostile

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write OUTCOMES.md")

// TestOutcomes holds that the table for people says what the tests hold.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	const file = "OUTCOMES.md"
	var text strings.Builder
	fmt.Fprintf(&text, "# What becomes of hostile modules\n\n"+
		"Written by `go test ./runtime/wasm/hostile -run TestOutcomes -update`; TestCorpus holds each line.\n"+
		"A row that fails has missing outputs and is counted, or is an error that names it, as configured.\n\n"+
		"| module | outcome |\n| --- | --- |\n")
	seen := map[string]bool{}
	for _, s := range corpus() {
		if seen[s.name] {
			t.Errorf("two specimens are called %q", s.name)
		}
		seen[s.name] = true
		if (s.step != "" || s.turns) && s.reason == "" || s.step == "" && !s.turns && s.outcome == "" {
			t.Errorf("%s has no reason", s.name)
		}
		fmt.Fprintf(&text, "| %s | %s |\n", cell(s.name), cell(s.becomes()))
	}
	if len(seen) < 200 {
		t.Errorf("there are %d specimens only", len(seen))
	}
	if *update {
		if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(file); err != nil || string(have) != text.String() {
		t.Errorf("%s is not what the corpus says (%v): run the test with -update", file, err)
	}
}

func (s specimen) becomes() string {
	because := ""
	if reason := strings.TrimSpace(strings.Trim(s.reason, ":")); reason != "" {
		because = ": " + reason + " …"
	}
	switch {
	case s.machine:
		return fmt.Sprintf("refused at %s%s, unless the machine is fast", s.step, because)
	case s.step != "":
		return fmt.Sprintf("refused at %s%s", s.step, because)
	case s.turns:
		return "the row fails" + because
	}
	return s.outcome
}

// cell is text that fits into a table.
func cell(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == '\u202e' {
			return -1
		}
		return r
	}, s)
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "_", `\_`, "*", `\*`).Replace(s)
}

package explain

import (
	"testing"
	"unicode/utf8"
)

func TestNumbers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		value            float64
		digits           int
		italian, english string
	}{
		{0, 1, "0,0", "0.0"},
		{-0.04, 1, "0,0", "0.0"},
		{-3.25, 2, "−3,25", "−3.25"},
		{1234, 0, "1234", "1234"},
		{12345.6, 1, "12.345,6", "12,345.6"},
		{-1234567, 0, "−1.234.567", "−1,234,567"},
		{100000, 0, "100.000", "100,000"},
		{1e300, 0, "1,00e+300", "1.00e+300"},
		{0.000123, 6, "0,000123", "0.000123"},
	}
	for _, tt := range tests {
		if got := Italian.number(tt.value, tt.digits); got != tt.italian {
			t.Errorf("%v in Italian is %s, want %s", tt.value, got, tt.italian)
		}
		if got := English.number(tt.value, tt.digits); got != tt.english {
			t.Errorf("%v in English is %s, want %s", tt.value, got, tt.english)
		}
	}
	for v, want := range map[float64]string{0.04: "0.0", 0.05: "+0.1", -0.04: "0.0", -2: "−2.0", 2: "+2.0"} {
		if got := English.signed(v, 1); got != want {
			t.Errorf("%v with its sign is %s, want %s", v, got, want)
		}
	}
}

func TestItalianArticles(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]string{
		"0,5%": "dello 0,5%", "1,0%": "dell'1,0%", "8,2%": "dell'8,2%", "11,0%": "dell'11,0%", "80,4%": "dell'80,4%",
		"18,0%": "del 18,0%", "10,0%": "del 10,0%", "26,9%": "del 26,9%", "100,0%": "del 100,0%",
	} {
		if got := Italian.of(number); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := Italian.to("0,1%"); got != "allo 0,1%" {
		t.Error(got)
	}
}

func TestHorizons(t *testing.T) {
	t.Parallel()
	for minutes, want := range map[int][2]string{
		0: {"in questo momento", "right now"}, 1: {"tra 1 minuto", "in 1 minute"}, 60: {"tra 60 minuti", "in 60 minutes"},
		90: {"tra 90 minuti", "in 90 minutes"}, 120: {"tra 2 ore", "in 2 hours"}, 1440: {"tra 24 ore", "in 24 hours"},
	} {
		if got := [2]string{Italian.until(minutes), English.until(minutes)}; got != want {
			t.Errorf("%d minutes are %q, want %q", minutes, got, want)
		}
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	items := []string{"a", "b", "c", "d", "e"}
	for n, want := range map[int][2]string{
		0: {"", ""}, 1: {"a", "a"}, 2: {"a e b", "a and b"}, 3: {"a, b e c", "a, b and c"},
		4: {"a, b, c e un altro", "a, b, c and 1 other"}, 5: {"a, b, c e altri 2", "a, b, c and 2 others"},
	} {
		if got := [2]string{Italian.few(items[:n], 3), English.few(items[:n], 3)}; got != want {
			t.Errorf("%d items are %q, want %q", n, got, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	long := ""
	for range 100 {
		long += "é"
	}
	for name, want := range map[string]string{
		"oslo-bysykkel":          "oslo-bysykkel",
		" two\n lines\t":         "two lines",
		"bell\a and \u202eright": "bell and right",
		"\xff\xfe":               "\uFFFD",
		"a\u2028b":               "a b",
	} {
		if got := Printable(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
	if got := Printable(long); utf8.RuneCountInString(got) != mostOfName+1 {
		t.Errorf("a long name is %q", got)
	}
}

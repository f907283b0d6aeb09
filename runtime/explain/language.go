package explain

import (
	"math"
	"strconv"
	"strings"
)

// Language is a language that explanations are written in, by its ISO 639
// code.
type Language string

// The languages. Italian is the default.
const (
	Italian Language = "it"
	English Language = "en"
)

// Languages lists them, the default first.
func Languages() []Language { return []Language{Italian, English} }

// in chooses by language.
func (l Language) in(italian, english string) string {
	if l == English {
		return english
	}
	return italian
}

// Name is the language's name in English.
func (l Language) Name() string { return l.in("Italian", "English") }

// number writes a number with the language's signs. Whole parts of five digits
// and more are grouped.
func (l Language) number(v float64, digits int) string {
	if a := math.Abs(v); a >= 1e15 {
		return l.localise(strconv.FormatFloat(v, 'e', 2, 64))
	}
	s := strconv.FormatFloat(v, 'f', digits, 64)
	sign := ""
	if s[0] == '-' {
		s = s[1:]
		if strings.Trim(s, "0.") != "" { // "-0.0" is plain zero
			sign = "-"
		}
	}
	whole, fraction, _ := strings.Cut(s, ".")
	if len(whole) >= 5 {
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + "'" + whole[i:]
		}
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return l.localise(sign + whole)
}

// localise replaces the signs of Go's notation, and ' by the mark of groups.
func (l Language) localise(s string) string {
	if l == English {
		return strings.NewReplacer("'", ",", "-", "−").Replace(s)
	}
	return strings.NewReplacer("'", ".", ".", ",", "-", "−").Replace(s)
}

// signed is number with a plus where it is positive.
func (l Language) signed(v float64, digits int) string {
	s := l.number(v, digits)
	if v > 0 && strings.ContainsAny(s, "123456789") {
		return "+" + s
	}
	return s
}

func (l Language) percent(ratio float64, digits int) string {
	return l.number(100*ratio, digits) + "%"
}

// plain writes a value with about three significant digits.
func (l Language) plain(v float64) string { return l.number(v, decimals(v)) }

func decimals(v float64) int {
	switch a := math.Abs(v); {
	case a == math.Trunc(a), a >= 100:
		return 0
	case a >= 1:
		return 1
	case a >= 0.01:
		return 3
	}
	return 6
}

// list joins items as a sentence does.
func (l Language) list(items []string) string {
	last := len(items) - 1
	if last < 1 {
		return strings.Join(items, "")
	}
	return strings.Join(items[:last], ", ") + l.in(" e ", " and ") + items[last]
}

// few lists the first of the items and counts the rest.
func (l Language) few(items []string, most int) string {
	more := len(items) - most
	if more <= 0 {
		return l.list(items)
	}
	others := l.in("altri ", "") + strconv.Itoa(more) + l.in("", " others")
	if more == 1 {
		others = l.in("un altro", "1 other")
	}
	return l.list(append(append([]string(nil), items[:most]...), others))
}

// until says how far ahead the forecast looks.
func (l Language) until(minutes int) string {
	switch {
	case minutes == 0:
		return l.in("in questo momento", "right now")
	case minutes == 1:
		return l.in("tra 1 minuto", "in 1 minute")
	case minutes >= 120 && minutes%60 == 0:
		hours := strconv.Itoa(minutes / 60)
		return l.in("tra "+hours+" ore", "in "+hours+" hours")
	}
	n := strconv.Itoa(minutes)
	return l.in("tra "+n+" minuti", "in "+n+" minutes")
}

// of puts the Italian "di" with its article before a number, which differs by
// how the number is said: dello 0,5, dell'8, dell'11, del 26. English needs
// none.
func (l Language) of(number string) string {
	if l == English {
		return number
	}
	return "del" + article(number) + number
}

// to does the same with "a".
func (l Language) to(number string) string {
	if l == English {
		return number
	}
	return "al" + article(number) + number
}

func article(number string) string {
	whole, _, _ := strings.Cut(strings.TrimSuffix(number, "%"), ",")
	switch {
	case whole == "0":
		return "lo "
	case whole == "1", whole == "11", strings.HasPrefix(whole, "8"):
		return "l'"
	}
	return " "
}

package explain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// mostOfName is how many characters of a network's or a station's name are
// repeated.
const mostOfName = 64

// Printable makes a name fit for a sentence and for a prompt: names come with
// the data, and whoever publishes the data chooses them.
func Printable(name string) string {
	name = OneLine(name)
	if utf8.RuneCountInString(name) <= mostOfName {
		return name
	}
	return string([]rune(name)[:mostOfName]) + "…"
}

// OneLine puts a text on one line of valid UTF-8, without control characters
// and without those that reorder or hide others.
func OneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	return strings.Join(strings.Fields(text), " ")
}

package explain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// mostOfName is how many characters of a network's or a station's name are
// repeated.
const mostOfName = 64

// printable makes a name fit for a sentence and for a prompt: names come with
// the data, and whoever publishes the data chooses them.
func printable(name string) string {
	name = oneLine(name)
	if utf8.RuneCountInString(name) <= mostOfName {
		return name
	}
	return string([]rune(name)[:mostOfName]) + "…"
}

// oneLine puts a text on one line of valid UTF-8, without control characters
// and without those that reorder or hide others.
func oneLine(text string) string {
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

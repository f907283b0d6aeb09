package jsonscan

import "strings"

// Printable makes a client's own words fit for an answer: valid UTF-8 of a
// bounded length.
func Printable[T string | []byte](text T) string {
	const most = 64 // bytes
	if len(text) > most {
		return strings.ToValidUTF8(string(text[:most]), "") + "…"
	}
	return strings.ToValidUTF8(string(text), "\uFFFD")
}

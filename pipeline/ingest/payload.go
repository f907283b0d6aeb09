package ingest

import (
	"bytes"
	"unicode/utf8"
)

// replacement is U+FFFD as a JSON escape.
const replacement = `\ufffd`

// storableJSON makes valid JSON fit for a JSONB column, which refuses what
// JSON allows or Go lets pass: the escape of NUL, lone surrogates, bytes that
// are not UTF-8. Those become U+FFFD; any other body comes back unchanged but
// for a byte order mark and the space around it.
func storableJSON(body []byte) []byte {
	body = trimBody(body)
	if !utf8.Valid(body) {
		body = bytes.ToValidUTF8(body, []byte("\uFFFD"))
	}
	if !bytes.Contains(body, []byte(`\u`)) {
		return body
	}
	out := make([]byte, 0, len(body))
	for i := 0; i < len(body); {
		n := escapeLen(body[i:])
		if n >= 6 && !storableEscape(body[i:i+n]) {
			out = append(out, replacement...)
		} else {
			out = append(out, body[i:i+n]...)
		}
		i += n
	}
	return out
}

// escapeLen is the length of what body begins with: a pair of surrogates, an
// escape, or a single byte.
func escapeLen(body []byte) int {
	switch first, ok := hexEscape(body); {
	case ok && isHighSurrogate(first):
		if second, ok := hexEscape(body[6:]); ok && isLowSurrogate(second) {
			return 12
		}
		return 6
	case ok:
		return 6
	case body[0] == '\\' && len(body) > 1:
		return 2
	}
	return 1
}

// storableEscape reports whether an escape of escapeLen stands for a
// character that can be stored. Only a whole pair is longer than 6 bytes.
func storableEscape(escape []byte) bool {
	r, _ := hexEscape(escape)
	return len(escape) == 12 || r != 0 && !isHighSurrogate(r) && !isLowSurrogate(r)
}

func isHighSurrogate(r rune) bool { return r >= 0xD800 && r <= 0xDBFF }
func isLowSurrogate(r rune) bool  { return r >= 0xDC00 && r <= 0xDFFF }

// hexEscape reads \uXXXX at the beginning of body.
func hexEscape(body []byte) (rune, bool) {
	if len(body) < 6 || body[0] != '\\' || body[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range body[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

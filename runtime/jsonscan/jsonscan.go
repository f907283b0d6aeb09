// Package jsonscan reads JSON that a client sent, from left to right and once,
// so that what is asked for becomes values, each wrong field can be named, and
// nothing else takes memory.
package jsonscan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// MaxDepth is how deeply arrays and objects in a body may nest. What the
// server understands has two levels; the rest is for telling a client which
// unknown field it sent instead of where the parser gave up.
const MaxDepth = 32

// syntaxError says why a text is not JSON.
type syntaxError struct {
	offset int // of the byte at fault, from 0
	detail string
}

func (e *syntaxError) Error() string {
	return fmt.Sprintf("the body is not valid JSON: %s at byte %d", e.detail, e.offset)
}

// Scanner is at a place in a text (RFC 8259). Its methods go on from there.
type Scanner struct {
	b   []byte
	pos int
}

// New starts at the beginning of a text, which it does not copy.
func New(text []byte) Scanner { return Scanner{b: text} }

// Empty reports whether nothing but white space is left.
func (s *Scanner) Empty() bool { return s.Next() == 0 && s.pos == len(s.b) }

// Pass goes past the byte that Next gave.
func (s *Scanner) Pass() { s.pos++ }

// Fail is the error for a text that is not JSON at this place.
func (s *Scanner) Fail(detail string) error { return &syntaxError{offset: s.pos, detail: detail} }

// Next skips white space and gives the byte after it, 0 at the end.
func (s *Scanner) Next() byte {
	for ; s.pos < len(s.b); s.pos++ {
		switch c := s.b[s.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// End refuses anything but white space.
func (s *Scanner) End() error {
	if s.Next(); s.pos < len(s.b) {
		return s.Fail("more text after the object")
	}
	return nil
}

// Object reads an object and calls member with each of its keys; member must
// read the value. The key is valid only during the call.
func (s *Scanner) Object(member func(key []byte) error) error {
	s.pos++ // the brace
	if s.Next() == '}' {
		s.pos++
		return nil
	}
	for {
		if s.Next() != '"' {
			return s.Fail("expected a field name in double quotes")
		}
		key, err := s.Text()
		if err != nil {
			return err
		}
		if s.Next() != ':' {
			return s.Fail("expected a colon")
		}
		s.pos++
		if err := member(key); err != nil {
			return err
		}
		switch s.Next() {
		case ',':
			s.pos++
		case '}':
			s.pos++
			return nil
		default:
			return s.Fail("expected a comma or a closing brace")
		}
	}
}

// Text reads a string. The result is valid UTF-8 and shares the body's memory
// unless the string has escapes.
func (s *Scanner) Text() ([]byte, error) {
	start := s.pos
	s.pos++
	for escaped, wide := false, false; s.pos < len(s.b); s.pos++ {
		switch c := s.b[s.pos]; {
		case c == '"':
			s.pos++
			if wide && !utf8.Valid(s.b[start:s.pos]) {
				s.pos = start
				return nil, s.Fail("a string that is not UTF-8")
			}
			if !escaped {
				return s.b[start+1 : s.pos-1], nil
			}
			var text string
			if err := json.Unmarshal(s.b[start:s.pos], &text); err != nil {
				s.pos = start
				return nil, s.Fail("a string with an invalid escape")
			}
			return []byte(text), nil
		case c == '\\':
			escaped = true
			s.pos++
		case c < ' ':
			return nil, s.Fail("a control character in a string")
		case c >= utf8.RuneSelf:
			wide = true
		}
	}
	s.pos = min(s.pos, len(s.b))
	return nil, s.Fail("the string does not end")
}

// Number reads a number. ok is false for one that float64 cannot hold.
func (s *Scanner) Number() (value float64, ok bool, err error) {
	start := s.pos
	if s.pos < len(s.b) && s.b[s.pos] == '-' {
		s.pos++
	}
	leading := s.pos
	if s.digits() == 0 {
		return 0, false, s.noValue(leading)
	}
	if s.b[leading] == '0' && s.pos > leading+1 {
		return 0, false, s.Fail("a number with a leading zero")
	}
	if s.pos < len(s.b) && s.b[s.pos] == '.' {
		s.pos++
		if s.digits() == 0 {
			return 0, false, s.Fail("a number that ends with its point")
		}
	}
	if s.pos < len(s.b) && s.b[s.pos]|0x20 == 'e' {
		s.pos++
		if s.pos < len(s.b) && (s.b[s.pos] == '+' || s.b[s.pos] == '-') {
			s.pos++
		}
		if s.digits() == 0 {
			return 0, false, s.Fail("a number that ends with its exponent")
		}
	}
	value, rangeErr := strconv.ParseFloat(string(s.b[start:s.pos]), 64)
	return value, rangeErr == nil, nil
}

// noValue is the error for what is no value. Several languages write missing
// numbers in a way that JSON does not have, and several systems put a mark
// before a text.
func (s *Scanner) noValue(at int) error {
	if at == 0 && bytes.HasPrefix(s.b, []byte("\uFEFF")) {
		return s.Fail("a byte order mark before it (leave it out)")
	}
	for _, word := range []string{"NaN", "nan", "Inf", "inf"} {
		if bytes.HasPrefix(s.b[at:], []byte(word)) {
			return s.Fail("NaN and infinities are not JSON (leave out what is missing)")
		}
	}
	return s.Fail("expected a value")
}

func (s *Scanner) digits() int {
	start := s.pos
	for s.pos < len(s.b) && '0' <= s.b[s.pos] && s.b[s.pos] <= '9' {
		s.pos++
	}
	return s.pos - start
}

// Skip reads any value and says what it was.
func (s *Scanner) Skip(depth int) (kind string, err error) {
	if depth > MaxDepth {
		return "", s.Fail(fmt.Sprintf("nested more than %d deep", MaxDepth))
	}
	switch c := s.Next(); c {
	case '{':
		return "an object", s.Object(func([]byte) error {
			_, err := s.Skip(depth + 1)
			return err
		})
	case '[':
		return "an array", s.Array(func() error {
			_, err := s.Skip(depth + 1)
			return err
		})
	case '"':
		_, err = s.Text()
		return "a string", err
	case 't':
		return "true", s.literal("true")
	case 'f':
		return "false", s.literal("false")
	case 'n':
		return "null", s.literal("null")
	default:
		_, _, err = s.Number()
		return "a number", err
	}
}

// Array reads an array and calls element for each of its values, which it must
// read.
func (s *Scanner) Array(element func() error) error {
	s.pos++ // the bracket
	if s.Next() == ']' {
		s.pos++
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		switch s.Next() {
		case ',':
			s.pos++
		case ']':
			s.pos++
			return nil
		default:
			return s.Fail("expected a comma or a closing bracket")
		}
	}
}

func (s *Scanner) literal(word string) error {
	if !bytes.HasPrefix(s.b[s.pos:], []byte(word)) {
		return s.noValue(s.pos)
	}
	s.pos += len(word)
	return nil
}

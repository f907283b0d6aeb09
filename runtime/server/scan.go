package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// maxDepth is how deeply arrays and objects in a body may nest. What the
// server understands has two levels; the rest is for telling a client which
// unknown field it sent instead of where the parser gave up.
const maxDepth = 32

// syntaxError says why a text is not JSON.
type syntaxError struct {
	offset int // of the byte at fault, from 0
	detail string
}

func (e *syntaxError) Error() string {
	return fmt.Sprintf("the body is not valid JSON: %s at byte %d", e.detail, e.offset)
}

// scanner reads JSON (RFC 8259) from left to right, once, without making
// values of what nobody asked for.
type scanner struct {
	b   []byte
	pos int
}

func (s *scanner) fail(detail string) error { return &syntaxError{offset: s.pos, detail: detail} }

// next skips white space and gives the byte after it, 0 at the end.
func (s *scanner) next() byte {
	for ; s.pos < len(s.b); s.pos++ {
		switch c := s.b[s.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// end refuses anything but white space.
func (s *scanner) end() error {
	if s.next(); s.pos < len(s.b) {
		return s.fail("more text after the object")
	}
	return nil
}

// object reads an object and calls member with each of its keys; member must
// read the value. The key is valid only during the call.
func (s *scanner) object(member func(key []byte) error) error {
	s.pos++ // the brace
	if s.next() == '}' {
		s.pos++
		return nil
	}
	for {
		if s.next() != '"' {
			return s.fail("expected a field name in double quotes")
		}
		key, err := s.text()
		if err != nil {
			return err
		}
		if s.next() != ':' {
			return s.fail("expected a colon")
		}
		s.pos++
		if err := member(key); err != nil {
			return err
		}
		switch s.next() {
		case ',':
			s.pos++
		case '}':
			s.pos++
			return nil
		default:
			return s.fail("expected a comma or a closing brace")
		}
	}
}

// text reads a string. The result shares the body's memory unless the string
// has escapes.
func (s *scanner) text() ([]byte, error) {
	start := s.pos
	s.pos++
	for escaped := false; s.pos < len(s.b); s.pos++ {
		switch c := s.b[s.pos]; {
		case c == '"':
			s.pos++
			if !escaped {
				return s.b[start+1 : s.pos-1], nil
			}
			var text string
			if err := json.Unmarshal(s.b[start:s.pos], &text); err != nil {
				s.pos = start
				return nil, s.fail("a string with an invalid escape")
			}
			return []byte(text), nil
		case c == '\\':
			escaped = true
			s.pos++
		case c < ' ':
			return nil, s.fail("a control character in a string")
		}
	}
	s.pos = min(s.pos, len(s.b))
	return nil, s.fail("the string does not end")
}

// number reads a number. ok is false for one that float64 cannot hold.
func (s *scanner) number() (value float64, ok bool, err error) {
	start := s.pos
	if s.pos < len(s.b) && s.b[s.pos] == '-' {
		s.pos++
	}
	leading := s.pos
	if s.digits() == 0 {
		return 0, false, s.noValue(leading)
	}
	if s.b[leading] == '0' && s.pos > leading+1 {
		return 0, false, s.fail("a number with a leading zero")
	}
	if s.pos < len(s.b) && s.b[s.pos] == '.' {
		s.pos++
		if s.digits() == 0 {
			return 0, false, s.fail("a number that ends with its point")
		}
	}
	if s.pos < len(s.b) && s.b[s.pos]|0x20 == 'e' {
		s.pos++
		if s.pos < len(s.b) && (s.b[s.pos] == '+' || s.b[s.pos] == '-') {
			s.pos++
		}
		if s.digits() == 0 {
			return 0, false, s.fail("a number that ends with its exponent")
		}
	}
	value, rangeErr := strconv.ParseFloat(string(s.b[start:s.pos]), 64)
	return value, rangeErr == nil, nil
}

// noValue is the error for what is no value. Several languages write missing
// numbers in a way that JSON does not have.
func (s *scanner) noValue(at int) error {
	for _, word := range []string{"NaN", "nan", "Inf", "inf"} {
		if bytes.HasPrefix(s.b[at:], []byte(word)) {
			return s.fail("NaN and infinities are not JSON (leave out what is missing)")
		}
	}
	return s.fail("expected a value")
}

func (s *scanner) digits() int {
	start := s.pos
	for s.pos < len(s.b) && '0' <= s.b[s.pos] && s.b[s.pos] <= '9' {
		s.pos++
	}
	return s.pos - start
}

// skip reads any value and says what it was.
func (s *scanner) skip(depth int) (kind string, err error) {
	if depth > maxDepth {
		return "", s.fail(fmt.Sprintf("nested more than %d deep", maxDepth))
	}
	switch c := s.next(); c {
	case '{':
		return "an object", s.object(func([]byte) error {
			_, err := s.skip(depth + 1)
			return err
		})
	case '[':
		return "an array", s.skipArray(depth)
	case '"':
		_, err = s.text()
		return "a string", err
	case 't':
		return "true", s.literal("true")
	case 'f':
		return "false", s.literal("false")
	case 'n':
		return "null", s.literal("null")
	default:
		_, _, err = s.number()
		return "a number", err
	}
}

func (s *scanner) skipArray(depth int) error {
	s.pos++ // the bracket
	if s.next() == ']' {
		s.pos++
		return nil
	}
	for {
		if _, err := s.skip(depth + 1); err != nil {
			return err
		}
		switch s.next() {
		case ',':
			s.pos++
		case ']':
			s.pos++
			return nil
		default:
			return s.fail("expected a comma or a closing bracket")
		}
	}
}

func (s *scanner) literal(word string) error {
	if !bytes.HasPrefix(s.b[s.pos:], []byte(word)) {
		return s.noValue(s.pos)
	}
	s.pos += len(word)
	return nil
}

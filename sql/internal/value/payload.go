package value

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"livelab/pipeline/observation"
)

// Limits of what a payload may hold, all far beyond what a feed sends and
// within what jsonb can store: 256 MiB in all, numbers of 131,072 digits before
// the point and 16,383 after it, and a nesting that its parser's stack allows.
const (
	maxPayload  = 64 << 20
	maxDepth    = 1000
	maxNumber   = 1000 // characters
	maxExponent = 1000
)

// CheckPayload refuses a payload that PostgreSQL's jsonb cannot hold, or whose
// table is not known.
func CheckPayload(p observation.Payload) error {
	what := fmt.Sprintf("payload of %s for %q", p.Kind, p.Network)
	if p.Kind != observation.KindBikes && p.Kind != observation.KindWeather {
		return fmt.Errorf("%s: the kind is neither %q nor %q", what, observation.KindBikes, observation.KindWeather)
	}
	if err := CheckTime(what, p.FetchedAt); err != nil {
		return err
	}
	if err := CheckJSON(p.Body); err != nil {
		return fmt.Errorf("%s cannot be stored: %w", what, err)
	}
	return nil
}

// Digest is the SHA-256 of the body as it came. PostgreSQL normalises what it
// stores, so the digest could not be taken from there.
func Digest(body []byte) []byte {
	sum := sha256.Sum256(body)
	return sum[:]
}

// CheckJSON refuses a body that is not JSON, and JSON that is valid by
// RFC 8259 but that jsonb has no value for.
func CheckJSON(body []byte) error {
	switch {
	case len(body) > maxPayload:
		return fmt.Errorf("the body has %d bytes, the limit is %d", len(body), maxPayload)
	case !utf8.Valid(body):
		return errors.New("the body is not valid UTF-8")
	case !json.Valid(body):
		return errors.New("the body is not valid JSON")
	}
	return checkTokens(body)
}

// checkTokens walks over valid JSON.
func checkTokens(body []byte) error {
	depth := 0
	for i := 0; i < len(body); {
		switch c := body[i]; {
		case c == '"':
			n, err := checkString(body[i:])
			if err != nil {
				return fmt.Errorf("at byte %d: %w", i, err)
			}
			i += n
		case c == '-' || c >= '0' && c <= '9':
			n, err := checkNumber(body[i:])
			if err != nil {
				return fmt.Errorf("at byte %d: %w", i, err)
			}
			i += n
		default:
			switch c {
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			}
			if depth > maxDepth {
				return fmt.Errorf("at byte %d: nested deeper than %d levels", i, maxDepth)
			}
			i++
		}
	}
	return nil
}

// checkString checks the escapes of the string that s begins with and gives
// its length, quotes included.
func checkString(s []byte) (int, error) {
	for i := 1; ; {
		switch s[i] {
		case '"':
			return i + 1, nil
		case '\\':
			if s[i+1] != 'u' {
				i += 2
				continue
			}
			n, err := checkUnicodeEscape(s[i:])
			if err != nil {
				return 0, err
			}
			i += n
		default:
			i++
		}
	}
}

// checkUnicodeEscape checks the escape, or the surrogate pair of two, that s
// begins with and gives its length.
func checkUnicodeEscape(s []byte) (int, error) {
	const length = len(`\u0000`)
	switch code := hex4(s[2:]); {
	case code == 0:
		return 0, errors.New(`a string holds \u0000, which cannot be stored`)
	case code >= 0xDC00 && code <= 0xDFFF:
		return 0, fmt.Errorf("a string holds half a surrogate pair, %s", s[:length])
	case code >= 0xD800 && code <= 0xDBFF:
		// A shorter rest cannot be an escape: the string still has to end.
		if len(s) < 2*length || s[length] != '\\' || s[length+1] != 'u' {
			return 0, fmt.Errorf("a string holds half a surrogate pair, %s", s[:length])
		}
		if low := hex4(s[length+2:]); low < 0xDC00 || low > 0xDFFF {
			return 0, fmt.Errorf("a string holds half a surrogate pair, %s", s[:length])
		}
		return 2 * length, nil
	}
	return length, nil
}

// hex4 reads the four hexadecimal digits that s begins with.
func hex4(s []byte) uint64 {
	code, err := strconv.ParseUint(string(s[:4]), 16, 32)
	if err != nil {
		panic(fmt.Sprintf("not four hexadecimal digits in valid JSON: %q", s[:4]))
	}
	return code
}

// checkNumber checks the size of the number that s begins with and gives its
// length.
func checkNumber(s []byte) (int, error) {
	end, exponent := len(s), -1
	for i, c := range s {
		if c == 'e' || c == 'E' {
			exponent = i + 1
		} else if (c < '0' || c > '9') && c != '-' && c != '+' && c != '.' {
			end = i
			break
		}
	}
	if end > maxNumber {
		return 0, fmt.Errorf("a number has %d characters, the limit is %d", end, maxNumber)
	}
	if exponent < 0 {
		return end, nil
	}
	e, err := strconv.Atoi(string(s[exponent:end]))
	if err != nil || e > maxExponent || e < -maxExponent {
		return 0, fmt.Errorf("the number %.40s has an exponent beyond %d", s[:end], maxExponent)
	}
	return end, nil
}

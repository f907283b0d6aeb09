package jsonscan

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzSkip holds the scanner to json.Valid for any value at all that is UTF-8,
// of which the standard library does not make sure.
func FuzzSkip(f *testing.F) {
	for _, seed := range []string{
		`1`, `-0`, `0.5e-7`, `"\u12ab\\\""`, `[1,[2,{"a":{}}],[]]`, `{"a":1,"a":2}`, `tru`, `[1,]`, `{,}`, `-`, `1e`, `"\x"`, `"\ud83d\ude00"`, ` 1 `, `nullx`, `+1`, `.5`, "\"\xff\"", `"\é"`, "\ufeff1", `"è"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := New(text)
		_, err := s.Skip(0)
		if err == nil {
			err = s.End()
		}
		valid := json.Valid(text) && utf8.Valid(text)
		if valid && err != nil && strings.Contains(err.Error(), "deep") {
			return // the standard library goes deeper
		}
		if valid != (err == nil) {
			t.Fatalf("%q is valid: %v, but the scanner says %v", text, valid, err)
		}
	})
}

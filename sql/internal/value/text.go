package value

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// CheckText refuses what a PostgreSQL text cannot hold: bytes that are not
// UTF-8, and the character U+0000.
func CheckText(what, s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s %q is not valid UTF-8", what, s)
	}
	if strings.ContainsRune(s, 0) {
		return fmt.Errorf("%s %q holds the character U+0000, which cannot be stored", what, s)
	}
	return nil
}

// CheckID is CheckText for a text that names something.
func CheckID(what, s string) error {
	if s == "" {
		return fmt.Errorf("%s is empty", what)
	}
	return CheckText(what, s)
}

// repairText replaces what CheckText would refuse by U+FFFD. It is for text
// that strangers choose and that must not keep a row from being stored.
func repairText(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	return strings.ReplaceAll(s, "\x00", "\uFFFD")
}

package wasm

import (
	"strings"
)

// consoleEnd is how many bytes a console keeps of either end.
const consoleEnd = 4 << 10

// A console keeps the first and the last of what a guest prints.
type console struct {
	head []byte
	tail []byte // the newest bytes after them
	lost bool
}

func (c *console) write(p []byte) {
	n := min(consoleEnd-len(c.head), len(p))
	c.head = append(c.head, p[:n]...)
	p = p[n:]
	if len(p) > consoleEnd {
		p, c.lost = p[len(p)-consoleEnd:], true
	}
	c.tail = append(c.tail, p...)
	if over := len(c.tail) - consoleEnd; over > 0 {
		c.tail, c.lost = append(c.tail[:0], c.tail[over:]...), true
	}
}

func (c *console) reset() { c.head, c.tail, c.lost = c.head[:0], c.tail[:0], false }

// String is what was kept, as valid UTF-8.
func (c *console) String() string {
	gap := ""
	if c.lost {
		gap = "\n...\n"
	}
	return strings.ToValidUTF8(string(c.head)+gap+string(c.tail), "\uFFFD")
}

package postgres

import (
	"net"
	"time"
)

// A server that vanishes without a word, as behind a cut cable, is noticed
// after this: by a reader, who only waits, and by a writer, whose bytes nobody
// acknowledges. Go's defaults are 2½ minutes and the kernel's 15 minutes. A
// server that is merely frozen still acknowledges; there the context ends a call.
const (
	keepAliveIdle     = 15 * time.Second
	keepAliveInterval = 5 * time.Second
	keepAliveCount    = 3
	userTimeout       = keepAliveIdle + keepAliveCount*keepAliveInterval
)

func newDialer() *net.Dialer {
	return &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount,
		},
		Control: setUserTimeout,
	}
}

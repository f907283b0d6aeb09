package postgres

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDialerSetsTimeouts(t *testing.T) {
	t.Parallel()
	cfg, err := configure("postgres://u@localhost/d", Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := cfg.ConnConfig.DialFunc(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for name, option := range map[string]struct{ number, want int }{
		"user timeout": {unix.TCP_USER_TIMEOUT, 30_000},
		"idle":         {unix.TCP_KEEPIDLE, 15},
		"interval":     {unix.TCP_KEEPINTVL, 5},
		"count":        {unix.TCP_KEEPCNT, 3},
	} {
		var got int
		var failed error
		err := raw.Control(func(fd uintptr) { got, failed = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, option.number) })
		if err != nil || failed != nil || got != option.want {
			t.Errorf("%s is %d, want %d: %v, %v", name, got, option.want, err, failed)
		}
	}
}

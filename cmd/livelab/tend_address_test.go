package main

import (
	"net"
	"net/netip"
	"testing"
)

// TestOpenable holds that the addresses which a start ends with can be opened.
func TestOpenable(t *testing.T) {
	t.Parallel()
	for listened, want := range map[string]string{
		"0.0.0.0:8000":    "localhost:8000",
		"[::]:8000":       "localhost:8000",
		"127.0.0.1:8000":  "127.0.0.1:8000",
		"[::1]:8000":      "[::1]:8000",
		"192.0.2.1:65535": "192.0.2.1:65535",
	} {
		if got := openable(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(listened))); got != want {
			t.Errorf("%s: %s, want %s", listened, got, want)
		}
	}
}

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"livelab/sql/pgtest"
)

// classicPostgres names a database of its own by the classic variables, over
// TCP as most people do.
func classicPostgres(t *testing.T) []string {
	t.Helper()
	server := pgtest.URL(t)
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	database := "classic_" + strings.TrimPrefix(u.Query().Get("search_path"), "test_")
	admin(t, server, "CREATE DATABASE "+database)
	t.Cleanup(func() { admin(t, server, "DROP DATABASE "+database+" WITH (FORCE)") })
	host, port, err := net.SplitHostPort(relay(t, u.Query().Get("host")+"/.s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		"POSTGRES_HOST=" + host, "POSTGRES_PORT=" + port, "POSTGRES_DB=" + database,
		"POSTGRES_USER=postgres", "POSTGRES_PASSWORD=not@asked/for:here",
	}
}

func admin(t *testing.T, server, statement string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // that of the test has ended when it is cleaned up
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", statement, err))
	}
}

// relay gives a Unix socket a TCP address.
func relay(t *testing.T, socket string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			go join(from, socket)
		}
	}()
	return l.Addr().String()
}

func join(from net.Conn, socket string) {
	defer from.Close()
	to, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer to.Close()
	go func() {
		io.Copy(to, from)
		to.Close()
	}()
	io.Copy(from, to)
}

// Package pgtest gives tests databases of their own on a real PostgreSQL.
//
// It starts no server: ./scripts/test does, and names it in the environment.
package pgtest

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Environment variables that ./scripts/test sets.
const (
	// ServerEnv holds the URL of a role that may create databases.
	ServerEnv = "WIGWAG_TEST_POSTGRES"
	// StrictEnv, when not empty, makes a missing server fail the test that
	// needs it instead of skipping it.
	StrictEnv = "WIGWAG_TEST_STRICT"
)

// timeout bounds the making, and again the dropping, of one database.
const timeout = time.Minute

// URL creates an empty database, encoded in UTF-8, and returns its URL. When
// the test ends the database is dropped, whoever is still connected. Without a
// server the test is skipped, or fails when StrictEnv is set. It may be called
// by concurrent tests.
func URL(tb testing.TB) string {
	tb.Helper()
	server := os.Getenv(ServerEnv)
	if server == "" {
		if os.Getenv(StrictEnv) != "" {
			tb.Fatalf("no PostgreSQL: %s is not set; run the tests with ./scripts/test", ServerEnv)
		}
		tb.Skipf("no PostgreSQL: %s is not set; run the tests with ./scripts/test", ServerEnv)
	}
	database, err := url.Parse(server)
	if err != nil || database.Host == "" {
		tb.Fatalf("%s is not a URL such as postgres://user:password@127.0.0.1:5432/postgres", ServerEnv)
	}

	name := "wigwag_" + strings.ToLower(rand.Text())
	// template0 has no sessions that could be in the way of concurrent tests.
	if err := exec(tb.Context(), server, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		tb.Fatalf("create database: %v", err)
	}
	tb.Cleanup(func() {
		// The test's own context has ended by now.
		ctx := context.WithoutCancel(tb.Context())
		if err := exec(ctx, server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			tb.Errorf("drop database: %v", err)
		}
	})
	database.Path = "/" + name
	return database.String()
}

// exec runs one statement on a connection of its own.
func exec(ctx context.Context, server, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	if closeErr := conn.Close(ctx); err == nil {
		err = closeErr
	}
	return err
}

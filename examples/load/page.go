package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
)

// pageReader asks for pages over one HTTP/1.1 connection that stays open, with as
// little work as that takes: net/http would cost this program as much CPU as the
// server. It understands what a Go server answers: Content-Length, or chunks.
type pageReader struct {
	stored
	dial    func(context.Context) (net.Conn, error)
	meter   *meter
	prefix  []byte // of the request, up to the sequence
	suffix  []byte
	request []byte
	body    []byte
	in      *bufio.Reader

	mu   sync.Mutex
	conn net.Conn
}

func (b *bench) newPageReader(token string, s stored) *pageReader {
	path := b.opt.url.EscapedPath() + "/v1/chats/" + s.chat + "/messages"
	return &pageReader{
		stored: s, dial: b.dialPlain, meter: b.meter,
		prefix: fmt.Appendf(nil, "GET %s?limit=%d&before=", path, pageSize),
		suffix: fmt.Appendf(nil, " HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", b.opt.url.Host, token),
		in:     bufio.NewReaderSize(nil, 32<<10),
	}
}

func dialTLS(ctx context.Context, host string) (net.Conn, error) {
	return (&tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}}).DialContext(ctx, "tcp", host)
}

// close ends the connection; the next page opens another. It may be called by any goroutine.
func (r *pageReader) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn != nil {
		r.conn.Close()
		r.conn = nil
	}
}

func (r *pageReader) connection(ctx context.Context) (net.Conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn != nil {
		return r.conn, nil
	}
	conn, err := r.dial(ctx)
	if err != nil {
		return nil, err
	}
	r.conn = conn
	r.in.Reset(conn)
	return conn, nil
}

// page returns the body of the page before a sequence, valid until the next call.
func (r *pageReader) page(ctx context.Context, before int64) ([]byte, error) {
	conn, err := r.connection(ctx)
	if err != nil {
		return nil, err
	}
	r.request = strconv.AppendInt(append(r.request[:0], r.prefix...), before, 10)
	r.request = append(r.request, r.suffix...)
	if _, err := conn.Write(r.request); err != nil {
		return nil, err
	}
	r.meter.out.Add(int64(len(r.request)))
	if err := r.response(); err != nil {
		return nil, err
	}
	r.meter.in.Add(int64(len(r.body)))
	return r.body, nil
}

var errResponse = errors.New("not an HTTP/1.1 response as expected")

// response reads one response into body, and fails unless its status is 200.
func (r *pageReader) response() error {
	line, err := r.line()
	if err != nil {
		return err
	}
	_, status, ok := bytes.Cut(line, []byte(" "))
	if !ok || len(status) < 3 {
		return errResponse
	}
	code := string(status[:3])
	length, chunked := int64(-1), false
	for {
		if line, err = r.line(); err != nil {
			return err
		}
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			length = digits(value)
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = bytes.EqualFold(value, []byte("chunked"))
		}
	}
	r.body = r.body[:0]
	switch {
	case chunked:
		err = r.chunks()
	case length >= 0:
		err = r.more(length)
	default:
		err = errResponse
	}
	if err == nil && code != "200" {
		err = errors.New("status " + code)
	}
	return err
}

func (r *pageReader) chunks() error {
	for {
		line, err := r.line()
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(string(line), 16, 31)
		if err != nil {
			return errResponse
		}
		if err := r.more(int64(n)); err != nil {
			return err
		}
		if _, err := r.line(); err != nil || n == 0 {
			return err
		}
	}
}

// line reads a line, without its end; it is valid until the next read.
func (r *pageReader) line() ([]byte, error) {
	line, err := r.in.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
}

// more appends n bytes to the body.
func (r *pageReader) more(n int64) error {
	from := len(r.body)
	if need := from + int(n); need > cap(r.body) {
		r.body = append(make([]byte, 0, 2*need), r.body...)
	}
	r.body = r.body[:from+int(n)]
	_, err := io.ReadFull(r.in, r.body[from:])
	return err
}

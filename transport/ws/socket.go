package ws

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	writeTimeout  = 10 * time.Second // of a write, and a second more for each slowBytes
	slowBytes     = 64 << 10
	drained       = 1 << 20
	deadlineSlack = 5 * time.Second // by which a deadline may be later, so that few writes have to set it

	// Buffers of package websocket: it reads heads of frames and writes control
	// frames, whose at most 127 bytes leave in one Write. Data goes around them.
	readBuffer, writeBuffer = 512, 256
)

// Bytes of a frame's head (RFC 6455, section 5.2).
const (
	textFrame    = 0x81 // final, text
	closeOpcode  = 0x8
	opcodeMask   = 0xF
	shortest     = 126 // payloads below say their length in the second byte
	length16     = 126
	length64     = 127
	longestBy16  = 1<<16 - 1
	maxFrameHead = 10
)

// socket is the connection below the WebSocket. Control frames of package websocket
// and data frames of the session go out one after the other, each whole.
type socket struct {
	net.Conn
	early []byte // what the HTTP server had read already

	mu    sync.Mutex
	until time.Time // the deadline of writes
	err   error     // why nothing more is written: a write broke off, or a close frame is out
}

func (s *socket) Read(p []byte) (int, error) {
	if len(s.early) > 0 {
		n := copy(p, s.early)
		if s.early = s.early[n:]; len(s.early) == 0 {
			s.early = nil
		}
		return n, nil
	}
	return s.Conn.Read(p)
}

// drain reads what a client still sends, for a moment and so much of it.
func (s *socket) drain() {
	if err := s.SetReadDeadline(time.Now().Add(closeGrace)); err == nil {
		_, _ = io.CopyN(io.Discard, s, drained)
	}
}

// Write sends a control frame of package websocket.
func (s *socket) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.write(p)
	if err == nil && len(p) > 0 && p[0]&opcodeMask == closeOpcode {
		s.err = net.ErrClosed
	}
	return n, err
}

// send writes whole frames, given in parts.
func (s *socket) send(parts ...[]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range parts {
		if _, err := s.write(p); err != nil {
			return err
		}
	}
	return nil
}

func (s *socket) write(p []byte) (n int, err error) {
	if s.err != nil {
		return 0, s.err
	}
	need := writeTimeout + time.Duration(len(p)/slowBytes)*time.Second
	if now := time.Now(); s.until.Sub(now) < need {
		s.until = now.Add(need + deadlineSlack)
		if s.err = s.SetWriteDeadline(s.until); s.err != nil {
			return 0, s.err
		}
	}
	n, s.err = s.Conn.Write(p) // after part of a frame nothing can follow
	return n, s.err
}

// appendHead appends the head of a text frame of n bytes from a server.
func appendHead(dst []byte, n int) []byte {
	switch {
	case n < shortest:
		return append(dst, textFrame, byte(n))
	case n <= longestBy16:
		return binary.BigEndian.AppendUint16(append(dst, textFrame, length16), uint16(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, textFrame, length64), uint64(n))
}

// hijackable reports whether a connection can be taken over.
func hijackable(w http.ResponseWriter) bool {
	for {
		switch t := w.(type) {
		case http.Hijacker:
			return true
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return false
		}
	}
}

// Hijack takes the connection over with buffers of its own: those of the HTTP
// server, 8 KiB, are let go.
func (u *upgrade) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(u.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	u.socket = &socket{Conn: conn}
	if n := rw.Reader.Buffered(); n > 0 {
		early, err := rw.Peek(n)
		if err != nil {
			return nil, nil, err
		}
		u.socket.early = append(u.socket.early, early...)
	}
	return u.socket, bufio.NewReadWriter(bufio.NewReaderSize(u.socket, readBuffer), bufio.NewWriterSize(u.socket, writeBuffer)), nil
}

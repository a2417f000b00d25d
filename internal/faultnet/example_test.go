package faultnet_test

import (
	"fmt"
	"io"
	"net"

	"github.com/wigwag-chat/wigwag/internal/faultnet"
)

func Example() {
	peer, _ := net.Listen("tcp", "127.0.0.1:0")
	defer peer.Close()
	go func() {
		conn, err := peer.Accept()
		if err != nil {
			return
		}
		_, _ = conn.Write([]byte("a whole sentence"))
		_ = conn.Close()
	}()

	p, _ := faultnet.Listen(peer.Addr().String(), 1)
	defer p.Close()
	p.Set(faultnet.Fault{CutAfter: 7})
	conn, _ := net.Dial("tcp", p.Addr())
	defer conn.Close()
	heard, _ := io.ReadAll(conn)
	fmt.Printf("%q\n", heard)
	// Output: "a whole"
}

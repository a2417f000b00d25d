package main_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag/keys"
)

// The program, as it stands, is built and run, and two of its users talk.
func TestTwoUsersOfTheHostTalk(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "embed")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	key, err := keys.Generate(nil)
	if err != nil {
		t.Fatal(err)
	}
	addr := freeAddr(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "LISTEN="+addr, "CHAT_KEY="+key.Encode())
	logs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, bufio.NewReader(logs)) }()
	defer func() { cancel(); _ = cmd.Wait() }()
	base := "http://" + addr + "/chat"
	for call(t, base, "GET", "/readyz", "", "") != http.StatusOK {
		if ctx.Err() != nil {
			t.Fatal("the program did not come up")
		}
	}

	var chat, message struct{ ID string }
	if code := call(t, base, "POST", "/v1/chats/direct", "s3cret-a", `{"userId":"bob"}`, &chat); code != http.StatusCreated {
		t.Fatalf("open a chat: %d", code)
	}
	path := "/v1/chats/" + chat.ID + "/messages"
	if code := call(t, base, "POST", path, "s3cret-a", `{"text":"hi bob"}`, &message); code != http.StatusCreated {
		t.Fatalf("send: %d", code)
	}
	var page struct {
		Items []struct{ ID, SenderID, Text string }
	}
	if code := call(t, base, "GET", path, "s3cret-b", "", &page); code != http.StatusOK {
		t.Fatalf("read: %d", code)
	}
	if len(page.Items) != 1 || page.Items[0].ID != message.ID || page.Items[0].SenderID != "ann" || page.Items[0].Text != "hi bob" {
		t.Errorf("bob reads %+v", page.Items)
	}
	if code := call(t, base, "GET", path, "s3cret-c", ""); code != http.StatusUnauthorized {
		t.Errorf("a stranger gets %d, want 401", code)
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// call makes one request and returns its status; 0 when there was no answer.
func call(t *testing.T, base, method, path, token, body string, answer ...any) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", fmt.Sprint("Bearer ", token))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	for _, a := range answer {
		if err := json.NewDecoder(res.Body).Decode(a); err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return res.StatusCode
}

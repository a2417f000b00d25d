package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// binary builds the server once, without the race detector: its own speed is
// part of what is tested.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := tempDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "server")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// process is one server process on a port that stays the same over restarts.
type process struct {
	addr string
	dir  string // where it runs, and where its key file lies
	db   string
	cmd  *exec.Cmd
	logs bytes.Buffer
}

func newProcess(t *testing.T, db string) *process {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := &process{addr: l.Addr().String(), dir: t.TempDir(), db: db}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("the end of the server's log:\n%s", tail(p.logs.String(), 4000))
		}
	})
	return p
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// start returns once the server has printed its address, and how long that took.
func (p *process) start(t *testing.T) time.Duration {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	p.cmd = exec.Command(path, "-addr", p.addr, "-db", p.db, "-dev", "-limits=off")
	p.cmd.Dir = p.dir
	p.cmd.Stderr = &p.logs
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || !strings.Contains(line, p.addr) {
		t.Fatalf("the server did not start: %q, %v", line, err)
	}
	return time.Since(began)
}

// kill ends the process at once, as a crash would.
func (p *process) kill() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

func (p *process) url(path string) string { return "http://" + p.addr + path }

// call makes one request and decodes the answer; the error of a refused one holds its body.
func (p *process) call(client *http.Client, method, path, token string, body, answer any) error {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, p.url(path), in)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return &refused{res.StatusCode, string(data)}
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(data, answer)
}

// refused is an answer that is no success.
type refused struct {
	status int
	body   string
}

func (r *refused) Error() string { return fmt.Sprintf("%d %s", r.status, r.body) }

// account is somebody signed up by phone.
type account struct{ id, token string }

// signUp makes an account through the development outbox.
func (p *process) signUp(t *testing.T, number string) account {
	t.Helper()
	var started struct{ SessionID string }
	p.must(t, "POST", "/v1/auth/phone/start", "", map[string]any{"phoneNumber": number}, &started)
	var outbox struct{ Items []struct{ Text string } }
	p.must(t, "GET", "/dev/outbox?to=%2B"+number[1:], "", nil, &outbox)
	if len(outbox.Items) == 0 {
		t.Fatalf("no code for %s in the outbox", number)
	}
	var tokens struct {
		AccessToken string
		User        struct{ ID string }
	}
	p.must(t, "POST", "/v1/auth/phone/verify", "", map[string]any{
		"sessionId": started.SessionID, "code": outbox.Items[0].Text[:6], "displayName": "User " + number[len(number)-4:],
	}, &tokens)
	return account{tokens.User.ID, tokens.AccessToken}
}

func (p *process) must(t *testing.T, method, path, token string, body, answer any) {
	t.Helper()
	if err := p.call(http.DefaultClient, method, path, token, body, answer); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
}

// isRefused reports whether the server answered, and said no.
func isRefused(err error) bool {
	_, ok := errors.AsType[*refused](err)
	return ok
}

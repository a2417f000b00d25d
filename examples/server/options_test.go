package main

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFlags(t *testing.T) {
	type want struct{ dev, unlimited, refused bool }
	for _, test := range []struct {
		args []string
		want want
	}{
		{nil, want{dev: true}},
		{[]string{"-addr", "[::1]:0"}, want{dev: true}},
		{[]string{"-addr", "localhost:0", "-dev=false"}, want{}},
		{[]string{"-addr", ":8080"}, want{}},
		{[]string{"-addr", "0.0.0.0:8080", "-dev"}, want{refused: true}},
		{[]string{"-addr", "0.0.0.0:8080", "-dev=force"}, want{dev: true}},
		{[]string{"-dev", "-limits=off"}, want{dev: true, unlimited: true}},
		{[]string{"-addr", ":8080", "-limits=off"}, want{refused: true}},
		{[]string{"-limits=some"}, want{refused: true}},
		{[]string{"-dev=maybe"}, want{refused: true}},
		{[]string{"-addr", "nowhere"}, want{refused: true}},
		{[]string{"-unknown"}, want{refused: true}},
		{[]string{"surplus"}, want{refused: true}},
	} {
		o, err := parse(test.args, io.Discard)
		got := want{o.dev, o.unlimited, err != nil}
		if got != test.want {
			t.Errorf("parse(%q) = %+v, %v, want %+v", test.args, got, err, test.want)
		}
	}
}

func TestOutboxIsForThisMachine(t *testing.T) {
	box := &outbox{log: slog.New(slog.DiscardHandler), now: time.Now}
	if err := box.SendSMS(t.Context(), "+15550100", "123456 is your code."); err != nil {
		t.Fatal(err)
	}
	api := http.NotFoundHandler()
	for _, test := range []struct {
		host  string
		local bool
		box   *outbox
		code  int
	}{
		{"127.0.0.1:8080", true, box, http.StatusOK},
		{"localhost", true, box, http.StatusOK},
		{"evil.example.org", true, box, http.StatusNotFound},
		{"chat.example.org", false, box, http.StatusOK},
		{"127.0.0.1:8080", true, nil, http.StatusNotFound},
	} {
		r := httptest.NewRequest(http.MethodGet, "/dev/outbox?to=+15550100", nil)
		r.Host = test.host
		w := httptest.NewRecorder()
		routes(api, test.box, test.local).ServeHTTP(w, r)
		if w.Code != test.code {
			t.Errorf("%s: %d, want %d", test.host, w.Code, test.code)
		}
	}
}

func TestOutboxShowsTheNewestFirst(t *testing.T) {
	box := &outbox{log: slog.New(slog.DiscardHandler), now: time.Now}
	for _, text := range []string{"one", "two"} {
		if err := box.SendMail(t.Context(), "ann@example.org", "Hi", text); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, item := range box.sentTo("ann@example.org") {
		got = append(got, item.Text)
	}
	if diff := cmp.Diff([]string{"Hi\n\ntwo", "Hi\n\none"}, got); diff != "" {
		t.Errorf("outbox (-want +got):\n%s", diff)
	}
	if others := box.sentTo("bob@example.org"); len(others) != 0 {
		t.Errorf("bob is shown %v", others)
	}
}

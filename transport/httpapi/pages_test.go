package httpapi_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestHistoryWindows(t *testing.T) {
	a := newApp(t)
	ada, bob := a.signUp(adaPhone), a.signUp(bobPhone)
	path := "/v1/chats/" + a.must(201, ada, "POST", "/v1/chats/direct", `{"userId":"`+bob.id+`"}`).id() + "/messages"
	for i := range 130 {
		a.must(201, ada, "POST", path, fmt.Sprintf(`{"text":"%d"}`, i+1))
	}
	for query, bounds := range map[string][2]int{
		"": {81, 130}, "limit=3": {128, 130}, "before=4": {1, 3}, "before=100&limit=2": {98, 99}, "after=128": {129, 130},
		"after=0&limit=2": {1, 2}, "after=0": {1, 50}, "after=0&limit=120": {1, 120}, "after=0&limit=200": {1, 130}, "around=0&limit=5": {1, 5},
		"around=50&limit=5": {48, 52}, "offset=128&limit=200": {1, 2}, "before=0": {0, 0}, "after=130": {0, 0}, "unknown=1&limit=1": {130, 130},
	} {
		t.Run(query, func(t *testing.T) {
			got := a.must(200, bob, "GET", path+"?"+query, "")
			items := got.at("items").([]any)
			if bounds == [2]int{} {
				if len(items) != 0 {
					t.Fatalf("%d messages, want none", len(items))
				}
				return
			}
			want(t, got, bounds[0], "items", 0, "text")
			want(t, got, bounds[1], "items", len(items)-1, "text")
			if len(items) != bounds[1]-bounds[0]+1 {
				t.Errorf("%d messages, want %v", len(items), bounds)
			}
		})
	}
	for _, query := range []string{"before=1&after=1", "after=0&around=0", "after=1&offset=1"} {
		want(t, a.must(400, bob, "GET", path+"?"+query, ""), "invalid_window", "error", "code")
	}
}

// TestHistoryPages walks a history of 402 messages from one end to the other, and
// finds each message once, every page but the last full, and next at all but the last.
func TestHistoryPages(t *testing.T) {
	const last = 402
	a := newApp(t)
	ada, bob := a.signUp(adaPhone), a.signUp(bobPhone)
	path := "/v1/chats/" + a.must(201, ada, "POST", "/v1/chats/direct", `{"userId":"`+bob.id+`"}`).id() + "/messages"
	for i := range last {
		a.must(201, ada, "POST", path, fmt.Sprintf(`{"text":"%d"}`, i+1))
	}
	for _, tc := range []struct {
		start    string
		from, to int // the first and the last sequence to be seen, as the pages go
	}{
		{"", last, 1}, {"before=403", last, 1}, {"before=202", 201, 1}, {"before=201", 200, 1}, {"before=3", 2, 1}, {"before=2", 1, 1},
		{"offset=1", last - 1, 1}, {"offset=201", 201, 1}, {"offset=202", 200, 1}, {"offset=401", 1, 1},
		{"after=0", 1, last}, {"after=1", 2, last}, {"after=201", 202, last}, {"after=202", 203, last}, {"after=401", last, last},
	} {
		for _, limit := range []int{1, 67, 200} {
			if limit == 1 && max(tc.from, tc.to)-min(tc.from, tc.to) > 1 {
				continue
			}
			t.Run(fmt.Sprintf("%s by %d", tc.start, limit), func(t *testing.T) {
				step, at, query := 1, tc.from, tc.start
				if !strings.HasPrefix(tc.start, "after") {
					step = -1
				}
				for {
					got := a.must(200, bob, "GET", fmt.Sprintf("%s?%s&limit=%d", path, query, limit), "")
					items := got.at("items").([]any)
					first := at // of the page in ascending order
					if step < 0 {
						first = at - len(items) + 1
					}
					for i := range items {
						want(t, got, first+i, "items", i, "seq")
					}
					at += step * len(items)
					next := got.at("next").(string)
					if left := (tc.to-at)*step >= 0; left != (next != "") || left && len(items) != limit {
						t.Fatalf("%d of %d messages up to %d, next %q", len(items), limit, at, next)
					}
					if next == "" {
						break
					}
					query = "cursor=" + next
				}
				if at != tc.to+step {
					t.Errorf("ended before %d", at)
				}
			})
		}
	}
	for _, query := range []string{"around=200&limit=5", "around=0&limit=5", "before=0", "after=402", "offset=402"} {
		want(t, a.must(200, bob, "GET", path+"?"+query, ""), "", "next")
	}
	older := a.must(200, bob, "GET", path+"?limit=1", "").at("next").(string)
	for _, with := range []string{"before=5", "before=0", "after=0", "after=5", "around=5", "offset=1"} {
		want(t, a.must(400, bob, "GET", path+"?cursor="+older+"&"+with, ""), "invalid_window", "error", "code")
	}
	// What is hidden is passed over, and is no reason for a page that is empty.
	for seq := 1; seq <= 3; seq++ {
		got := a.must(200, bob, "GET", path+"?after=0&limit=1", "")
		a.must(204, bob, "DELETE", path+"/"+got.at("items", 0, "id").(string)+"?for=me", "")
	}
	want(t, a.must(200, bob, "GET", path+"?before=6&limit=2", ""), "", "next")
	want(t, a.must(200, bob, "GET", path+"?after=0&limit=2", ""), 4, "items", 0, "seq")
}

// TestListsInMemory pages the lists that services give whole.
func TestListsInMemory(t *testing.T) {
	a := newApp(t)
	bob := a.signUp(bobPhone)
	signedIn := map[any]person{}
	var ada person
	for i := range 3 { // two at the same moment
		ada = a.signUp(adaPhone)
		signedIn[ada.session] = ada
		if i == 0 {
			a.clock.advance(time.Second)
		}
	}
	path := "/v1/chats/" + a.must(201, ada, "POST", "/v1/chats/direct", `{"userId":"`+bob.id+`"}`).id() + "/messages"
	message := path + "/" + a.must(201, ada, "POST", path, `{"text":"0"}`).id()
	for i := range 3 { // all at the same moment
		a.must(200, ada, "PATCH", message, fmt.Sprintf(`{"text":"%d"}`, i+1))
	}
	for list, name := range map[string]string{"/v1/auth/sessions": "id", message + "/history": "text"} {
		all := a.must(200, ada, "GET", list, "")
		want(t, all, "", "next")
		want(t, a.must(200, ada, "GET", list+"?limit=3", ""), "", "next")
		cursor := ""
		for i := range 3 {
			got := a.must(200, ada, "GET", list+"?limit=1&cursor="+cursor, "")
			want(t, got, all.at("items", i, name), "items", 0, name)
			want(t, got, nil, "items", 1)
			cursor = got.at("next").(string)
		}
		want(t, a.must(200, ada, "GET", list+"?limit=1", ""), all.at("items", 0, name), "items", 0, name)
		if cursor != "" {
			t.Errorf("%s: the last page has next %q", list, cursor)
		}
	}

	// A session that ends between two pages makes nobody be passed over.
	all := a.must(200, ada, "GET", "/v1/auth/sessions", "")
	first := a.must(200, ada, "GET", "/v1/auth/sessions?limit=1", "")
	left := signedIn[all.at("items", 2, "id")]
	a.must(204, left, "DELETE", "/v1/auth/sessions/"+first.at("items", 0, "id").(string), "")
	second := a.must(200, left, "GET", "/v1/auth/sessions?limit=1&cursor="+first.at("next").(string), "")
	want(t, second, all.at("items", 1, "id"), "items", 0, "id")
}

// TestCursors: a cursor counts for the list that gave it, to the letter.
func TestCursors(t *testing.T) {
	a := newApp(t)
	ada, bob, zoe := a.signUp(adaPhone), a.signUp(bobPhone), a.signUp(zoePhone)
	a.signUp(adaPhone)
	group := a.must(201, ada, "POST", "/v1/groups", fmt.Sprintf(`{"name":"Club","memberIds":[%q,%q]}`, bob.id, zoe.id)).id()
	a.must(201, ada, "POST", "/v1/chats/direct", `{"userId":"`+bob.id+`"}`)
	path := "/v1/chats/" + group + "/messages"
	message := path + "/" + a.must(201, ada, "POST", path, `{"text":"0"}`).id()
	a.must(201, ada, "POST", path, `{"text":"1"}`)
	for i := range 2 {
		a.must(200, ada, "PATCH", message, fmt.Sprintf(`{"text":"%d"}`, i+1))
	}
	lists := []string{"/v1/chats", "/v1/auth/sessions", path, message + "/history", message + "/receipts", "/v1/groups/" + group + "/members", "/v1/users?username=nobody"}
	cursors := map[string]string{}
	for _, list := range lists[:len(lists)-1] {
		cursors[list] = a.must(200, ada, "GET", list+"?limit=1", "").at("next").(string)
		if cursors[list] == "" {
			t.Fatalf("no next of %s", list)
		}
	}
	for _, list := range lists {
		address := list + "?cursor="
		if strings.Contains(list, "?") {
			address = list + "&cursor="
		}
		refused := []string{"x", "!", "AAAA", "AQ", strings.Repeat("A", 3000), "%7B%7D", base64.RawURLEncoding.EncodeToString(make([]byte, 10)), "%0A"}
		for other, c := range cursors {
			if other != list {
				refused = append(refused, c)
				continue
			}
			a.must(200, ada, "GET", address+c, "")
			refused = append(refused, c+"%0A", c+"=", c[:len(c)-1], c+"_", "B"+c[1:])
		}
		for _, c := range refused {
			got := a.must(400, ada, "GET", address+c, "")
			want(t, got, "invalid_cursor", "error", "code")
			want(t, got, "cursor", "error", "details", "field")
		}
	}
}

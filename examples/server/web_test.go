package main_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

const (
	adaNumber   = "+12025550123"
	graceNumber = "+12025550145"
)

// TestWebClient lets two people talk through the web client, each in a browser
// profile of their own, against the built server. The steps build on each other.
func TestWebClient(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	root := startBrowser(t)
	server := newProcess(t, "sqlite:wigwag.db")
	server.start(t)
	keep := screenshots(t)
	ada := newPerson(root, t, "ada", server.url("/"), keep)
	grace := newPerson(root, t, "grace", server.url("/"), keep)

	steps := []struct {
		name string
		run  func(t *testing.T)
	}{
		{"sign up", func(t *testing.T) {
			ada.signUp("Ada Lovelace", adaNumber, func() { ada.click(id("dev-fill")) })
			grace.signUp("Grace Hopper", graceNumber, func() {
				right := newestCode(t, server, graceNumber)
				wrong := "000000"
				if right == wrong {
					wrong = "000001"
				}
				grace.write(id("code-input"), wrong)
				grace.see(`.field-note.error`)
				grace.write(id("code-input"), right)
			})
			ada.shot("01-signed-up")
		}},
		{"find each other", func(t *testing.T) {
			ada.click(id("new-chat"))
			ada.write(id("find-input"), graceNumber)
			ada.press("Enter")
			ada.see(id("find-result"))
			ada.shot("02-found")
			ada.click(id("find-result"))
			ada.see(id("composer"))
		}},
		{"sent, delivered, read", func(t *testing.T) {
			ada.say("Hi Grace! 👋 Did the compiler behave?")
			ada.status("Hi Grace! 👋 Did the compiler behave?", "delivered")
			grace.until("an unread message", `document.title === '(1) Wigwag' && document.querySelector('[data-testid="unread"]')?.textContent.startsWith('1')`)
			grace.shot("03-unread")
			grace.click(id("chat-item"))
			grace.hears("Hi Grace! 👋 Did the compiler behave?")
			ada.status("Hi Grace! 👋 Did the compiler behave?", "read")
			grace.until("nothing unread", `document.title === 'Wigwag'`)
		}},
		{"every text is shown as it is", func(t *testing.T) {
			texts := []string{
				"It did, after I found the moth.",
				`<img src=x onerror="window.pwned = true"><script>window.pwned = true</script>`,
				"مرحبا يا صديقتي، كيف الحال؟",
				"🦋🎉",
				"two\nlines,   three spaces & https://example.org/mark-ii?page=92.",
			}
			for _, text := range texts {
				grace.say(text)
			}
			for _, text := range texts {
				ada.hears(text)
			}
			if value[bool](ada, `'pwned' in window || document.querySelector('.messages img, .messages script') !== null`) {
				t.Error("a message was taken for markup")
			}
			if got := value[string](ada, `document.querySelector('.messages a').href`); got != "https://example.org/mark-ii?page=92" {
				t.Errorf("link goes to %q", got)
			}
			ada.shot("04-conversation")
		}},
		{"edit", func(t *testing.T) {
			ada.say("We shuold write that down.")
			ada.status("We shuold write that down.", "read")
			ada.press("ArrowUp") // in the empty composer: the last own message
			ada.see(id("edit-bar"))
			ada.press("Escape")
			ada.act("We shuold write that down.", "edit")
			ada.write(id("composer"), "We should write that down.")
			ada.shot("05-editing")
			ada.press("Enter")
			grace.hears("We should write that down.")
			grace.see(id("edited"))
		}},
		{"delete", func(t *testing.T) {
			ada.say("This goes for everyone.")
			ada.say("This goes for Grace alone.")
			grace.hears("This goes for Grace alone.")
			ada.act("This goes for everyone.", "delete-everyone")
			ada.click(id("confirm-delete"))
			grace.until("a tombstone", `document.querySelectorAll('.tombstone').length === 1`)
			grace.act("This goes for Grace alone.", "delete-me")
			grace.until("it is gone", missing("This goes for Grace alone."))
			ada.hears("This goes for Grace alone.")
			ada.until("gone for Ada too", missing("This goes for everyone."))
			grace.shot("06-deleted")
		}},
		{"a group", func(t *testing.T) {
			ada.click(id("new-group"))
			ada.write(id("group-name"), "Bug hunters")
			ada.click(id("member-check"))
			ada.shot("07-new-group")
			ada.click(id("create-group"))
			ada.until("the group is open", `document.querySelector('[data-testid="chat-name"]')?.textContent === 'Bug hunters'`)
			ada.say("Who found what this week?")
			grace.until("the group in the list", `[...document.querySelectorAll('.chat-title')].some((e) => e.textContent === 'Bug hunters')`)
			grace.open("Bug hunters")
			grace.hears("Who found what this week?")
			ada.status("Who found what this week?", "read")
			grace.say("A moth, in relay 70.")
			ada.hears("A moth, in relay 70.")
			ada.act("Who found what this week?", "details")
			ada.until("read by one", `document.querySelector('[data-testid="read-by"]')?.textContent === 'Read by 1 of 1'`)
			ada.click(id("close-dialog"))
			ada.shot("08-group")
		}},
		{"reload keeps everything", func(t *testing.T) {
			for _, p := range []*person{ada, grace} {
				for _, chat := range []string{"Bug hunters", p.peer()} {
					p.open(chat)
					before := p.texts()
					p.do("reload", chromedp.Reload())
					p.until("the messages are back", fmt.Sprintf(`document.querySelectorAll('[data-testid="message"]').length === %d`, len(before)))
					p.until("what was read stays read", `document.title === 'Wigwag'`)
					if diff := cmp.Diff(before, p.texts()); diff != "" {
						t.Errorf("%s: %s after reload (-before +after):\n%s", p.name, chat, diff)
					}
				}
			}
		}},
		{"a killed server", func(t *testing.T) {
			server.kill()
			ada.say("Are you still there?")
			ada.status("Are you still there?", "pending")
			ada.until("told so", `document.querySelector('[data-testid="connection"]').textContent !== ''`)
			ada.shot("09-reconnecting")
			server.start(t)
			grace.hears("Are you still there?")
			ada.status("Are you still there?", "read")
			if got := value[int](grace, `[...document.querySelectorAll('[data-testid="message-text"]')].filter((e) => e.textContent === 'Are you still there?').length`); got != 1 {
				t.Errorf("arrived %d times", got)
			}
		}},
		{"leave the group", func(t *testing.T) {
			ada.open("Bug hunters")
			grace.open("Bug hunters")
			grace.click(id("group-info"))
			grace.click(id("leave-group"))
			grace.click(id("confirm-leave"))
			grace.see(id("welcome"))
			ada.until("told in the chat", `[...document.querySelectorAll('[data-testid="system-line"]')].some((e) => e.textContent === 'Grace Hopper left')`)
			ada.open("Grace Hopper")
		}},
		{"narrow and dark", func(t *testing.T) {
			grace.open("Ada Lovelace")
			grace.size(390, 844)
			grace.see(id("composer"))
			grace.shot("10-narrow")
			ada.scheme("dark")
			grace.scheme("dark")
			ada.shot("11-dark")
			grace.size(360, 640)
			grace.shot("12-narrow-dark")
			if value[bool](grace, `document.documentElement.scrollWidth > innerWidth`) {
				t.Error("the conversation is wider than 360 px")
			}
			grace.click(id("back"))
			grace.see(id("chat-item"))
			if value[bool](grace, `document.querySelector('.pane-chat').offsetWidth > 0`) {
				t.Error("list and conversation stand side by side on a narrow screen")
			}
			grace.shot("13-narrow-list")
		}},
	}
	for _, step := range steps {
		if !t.Run(step.name, func(t *testing.T) {
			ada.t, grace.t = t, t
			step.run(t)
		}) {
			break
		}
	}
	ada.t, grace.t = t, t
}

// signUp goes from the first page to the empty list; enterCode answers the code step.
func (p *person) signUp(name, number string, enterCode func()) {
	p.t.Helper()
	p.write(id("phone-input"), number)
	p.press("Enter")
	p.see(id("dev-code"))
	enterCode()
	p.write(id("name-input"), name)
	p.press("Enter")
	p.see(id("list-empty"))
}

// say sends a text in the open chat.
func (p *person) say(text string) {
	p.t.Helper()
	p.write(id("composer"), text)
	p.press("Enter")
	p.hears(text)
}

// open opens a chat by its title in the list.
func (p *person) open(title string) {
	p.t.Helper()
	p.until("open "+title, fmt.Sprintf(`(() => {
		if (document.querySelector('[data-testid="chat-name"]')?.textContent === %[1]s) return document.querySelector('[data-testid="message"]') !== null;
		[...document.querySelectorAll('[data-testid="chat-item"]')].find((e) => e.querySelector('.chat-title').textContent === %[1]s)?.click();
		return false;
	})()`, quote(title)))
}

// hears waits for a message with exactly this text.
func (p *person) hears(text string) {
	p.t.Helper()
	p.until("hear "+text, "!("+missing(text)+")")
}

// status waits for the ticks of a message of one's own.
func (p *person) status(text, status string) {
	p.t.Helper()
	p.until(status+": "+text, fmt.Sprintf(`%s?.dataset.status === %s`, message(text), quote(status)))
}

// act chooses an entry of a message's menu.
func (p *person) act(text, testid string) {
	p.t.Helper()
	message := value[string](p, message(text)+`.dataset.messageId`)
	p.click(fmt.Sprintf(`[data-message-id="%s"] %s`, message, id("message-menu")))
	p.click(id(testid))
}

// texts is what the open chat shows, statuses left out.
func (p *person) texts() []string {
	p.t.Helper()
	return value[[]string](p, `[...document.querySelectorAll('[data-testid="message"]')].map((e) => e.dataset.messageId + ' ' + e.querySelector('.text').textContent)`)
}

// peer is how the other one is called.
func (p *person) peer() string {
	if p.name == "ada" {
		return "Grace Hopper"
	}
	return "Ada Lovelace"
}

// message is a JavaScript expression for the message with this text, or undefined.
func message(text string) string {
	return fmt.Sprintf(`[...document.querySelectorAll('[data-testid="message"]')].find((e) => e.querySelector('[data-testid="message-text"]')?.textContent === %s)`, quote(text))
}

func missing(text string) string { return message(text) + " === undefined" }

func quote(text string) string {
	out, err := json.Marshal(text)
	if err != nil {
		panic(err) // strings always encode
	}
	return string(out)
}

// newestCode reads what was last sent to a number from the development outbox.
func newestCode(t *testing.T, server *process, number string) string {
	t.Helper()
	var outbox struct{ Items []struct{ Text string } }
	server.must(t, "GET", "/dev/outbox?to=%2B"+number[1:], "", nil, &outbox)
	if len(outbox.Items) == 0 {
		t.Fatalf("nothing was sent to %s", number)
	}
	return regexp.MustCompile(`\b\d{6}\b`).FindString(outbox.Items[0].Text)
}

// TestWebFiles keeps the client within its Content-Security-Policy and free of
// markup made from strings: both are what makes it safe by construction.
func TestWebFiles(t *testing.T) {
	forbidden := regexp.MustCompile(`\.(inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\(|new Function|@import|<script>|<style|\sstyle=|\son[a-z]+="`)
	outside := regexp.MustCompile(`(src|href|url|import|from)\W{1,3}https?://`)
	files := 0
	err := fs.WalkDir(os.DirFS("."), "web", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for _, rule := range []*regexp.Regexp{forbidden, outside} {
			if found := rule.Find(text); found != nil {
				t.Errorf("%s contains %q", path, found)
			}
		}
		return nil
	})
	if err != nil || files == 0 {
		t.Fatalf("%d files: %v", files, err)
	}
}

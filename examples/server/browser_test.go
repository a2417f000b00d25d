package main_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience bounds every wait for a condition in a page.
const patience = 20 * time.Second

// findChromium gives the browser named by WIGWAG_TEST_CHROMIUM or found in PATH.
// Without one the test is skipped, or fails where WIGWAG_TEST_STRICT is set.
func findChromium(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("WIGWAG_TEST_CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const missing = "no Chromium: install it or name it in WIGWAG_TEST_CHROMIUM"
	if os.Getenv("WIGWAG_TEST_STRICT") != "" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// startBrowser runs one browser with an empty profile for the whole test.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(findChromium(t)), chromedp.UserDataDir(t.TempDir()),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
	}
	for _, flag := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, _ = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("stop Chromium: %v", err)
		}
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return ctx
}

// screenshots is where screenshots go: the folder named by WIGWAG_SCREENSHOTS, else one of the test's own.
func screenshots(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("WIGWAG_SCREENSHOTS")
	if dir == "" {
		dir = filepath.Join(t.TempDir(), "screenshots")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// person is somebody with a browser profile of their own. Every step waits for
// its condition within patience and ends the test when it does not come.
type person struct {
	t     *testing.T
	ctx   context.Context
	name  string
	shots string // folder
}

func newPerson(root context.Context, t *testing.T, name, url, shots string) *person {
	t.Helper()
	ctx, leave := chromedp.NewContext(root, chromedp.WithNewBrowserContext())
	t.Cleanup(leave)
	if err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			t.Errorf("%s: exception in the page: %+v", name, e.ExceptionDetails)
		case *cdplog.EventEntryAdded:
			if strings.Contains(e.Entry.Text, "Content Security Policy") {
				t.Errorf("%s: %s", name, e.Entry.Text)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	p := &person{t, ctx, name, shots}
	// Both pages run in one browser, yet each person looks at their own.
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		t.Fatal(err)
	}
	p.scheme("light")
	p.size(1280, 800)
	p.do("open the page", chromedp.Navigate(url))
	return p
}

// scheme chooses light or dark; motion is off so that screenshots are calm.
func (p *person) scheme(name string) {
	p.t.Helper()
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *person) size(width, height int64) {
	p.t.Helper()
	p.do("resize", chromedp.EmulateViewport(width, height))
}

// do runs actions within patience; when they fail it keeps a screenshot.
func (p *person) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.shot("failed")
		p.t.Fatalf("%s: %s: %v", p.name, what, err)
	}
}

func (p *person) shot(name string) {
	p.t.Helper()
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(p.shots, name+"-"+p.name+".png"), png, 0o644)
	}
	if err != nil {
		p.t.Errorf("%s: screenshot %s: %v", p.name, name, err)
	}
}

// id selects an element by its data-testid.
func id(testid string) string { return fmt.Sprintf("[data-testid=%q]", testid) }

func (p *person) see(selector string) {
	p.t.Helper()
	p.do("see "+selector, chromedp.WaitVisible(chromedp.CSS(selector)))
}

func (p *person) click(selector string) {
	p.t.Helper()
	p.do("click "+selector, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// write puts text of any script into a field, in place of what is there, as an input method would.
func (p *person) write(selector, text string) {
	p.t.Helper()
	p.see(selector)
	p.run(fmt.Sprintf("(() => { const e = document.querySelector(%s); e.focus(); e.select(); })()", quote(selector)))
	if _, err := chromedp.Call(p.ctx, input.InsertText, input.InsertTextParams{Text: text}); err != nil {
		p.t.Fatalf("%s: write: %v", p.name, err)
	}
}

// keyCodes of the keys that the test presses.
var keyCodes = map[string]int64{"Enter": 13, "Escape": 27, "ArrowUp": 38}

// press sends a key down and up. One event carries the key and its text, so
// that a page which takes the key gets no text, as with a real keyboard.
func (p *person) press(key string) {
	p.t.Helper()
	down := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Code: key, WindowsVirtualKeyCode: keyCodes[key]}
	if key == "Enter" {
		down.Text = "\r"
	}
	up := down
	up.Type, up.Text = input.DispatchKeyEventTypeKeyUp, ""
	for _, event := range []input.DispatchKeyEventParams{down, up} {
		if _, err := chromedp.Call(p.ctx, input.DispatchKeyEvent, event); err != nil {
			p.t.Fatalf("%s: press %s: %v", p.name, key, err)
		}
	}
}

// until waits for a condition in the page, given as a JavaScript expression.
func (p *person) until(what, condition string) {
	p.t.Helper()
	p.do(what, chromedp.Poll[chromedp.Void](condition, chromedp.WithPollingInterval(30*time.Millisecond), chromedp.WithPollingTimeout(0)))
}

// run evaluates JavaScript for its effect.
func (p *person) run(script string) {
	p.t.Helper()
	p.do(script, chromedp.Evaluate[chromedp.Void](script))
}

// value gives what a JavaScript expression is worth.
func value[T any](p *person, expression string) T {
	p.t.Helper()
	out, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.shot("failed")
		p.t.Fatalf("%s: %s: %v", p.name, expression, err)
	}
	return out
}

package auth

import (
	"cmp"
	"strings"
)

// Templates are the texts that leave by SMS and mail, in plain text; empty ones
// stand for the defaults. {app} is the app's name, {code} the code, {link} the
// link: VerifyURL or ResetURL with {token} filled in, by default the bare token.
// Put {token} into the URL's fragment, which no server logs.
type Templates struct {
	App                       string // "Wigwag"
	Code                      string // the SMS
	VerifyURL, ResetURL       string
	VerifySubject, VerifyText string // proves an e-mail address
	ResetSubject, ResetText   string // chooses a new password
	TakenSubject, TakenText   string // somebody registered with an address that has an account
}

func (t *Templates) defaults() {
	set := func(s *string, value string) { *s = cmp.Or(*s, value) }
	set(&t.App, "Wigwag")
	set(&t.Code, "{code} is your {app} code. It works for 10 minutes. Do not give it to anybody.")
	set(&t.VerifyURL, "{token}")
	set(&t.ResetURL, "{token}")
	set(&t.VerifySubject, "Confirm your e-mail address for {app}")
	set(&t.VerifyText, "Confirm that this address is yours:\n\n{link}\n\nIf you did not sign up for {app}, do nothing.\n")
	set(&t.ResetSubject, "Choose a new password for {app}")
	set(&t.ResetText, "Choose a new password within one hour:\n\n{link}\n\nIf you did not ask for this, do nothing.\n")
	set(&t.TakenSubject, "You have an account with {app}")
	set(&t.TakenText, "Somebody, perhaps you, tried to sign up with this address, which has an account.\n"+
		"Sign in instead, or choose a new password within one hour:\n\n{link}\n\nIf it was not you, do nothing.\n")
}

// fill puts a value in the place of a name, and the app's name in its own.
func (t *Templates) fill(text, name, value string) string {
	return strings.NewReplacer("{app}", t.App, name, value).Replace(text)
}

// redacted is an error of an adapter, without what must not reach a log.
type redacted struct {
	error
	secrets []string
}

func (r redacted) Error() string {
	text := r.error.Error()
	for _, s := range r.secrets {
		text = strings.ReplaceAll(text, s, "[redacted]")
	}
	return text
}

func (r redacted) Unwrap() error { return r.error }

package httpapi

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/wigwag-chat/wigwag/transport/api"
)

// Parameters. Those that several operations share are spelled out in each, since
// huma sees no fields of embedded types that are not exported.
type (
	socketParams struct {
		Ticket      string `query:"ticket" doc:"As POST /v1/ws/ticket gave it; once, within 30 s."`
		Subprotocol string `header:"Sec-WebSocket-Protocol" doc:"wigwag.v1."`
	}
	userParam struct {
		User string `path:"id" doc:"The user's id."`
	}
	findParams struct {
		Phone    string `query:"phone" doc:"A whole phone number, with its country code."`
		Username string `query:"username" doc:"A whole username, in any case."`
		Limit    int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Items of a page; there is one at most."`
		Cursor   string `query:"cursor" doc:"Refused, since no page has a next one."`
	}
	personParam struct {
		User string `path:"userId" doc:"The user's id."`
	}
	contactParams struct {
		Name   string `query:"name" doc:"Only those whose display name, username, full name, or a word of these, begins with it."`
		Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Items of a page."`
		Cursor string `query:"cursor" doc:"next of the page before."`
	}
	sessionParam struct {
		Session string `path:"id" doc:"The session's id."`
	}
	pageParams struct {
		Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Items of a page."`
		Cursor string `query:"cursor" doc:"next of the page before."`
	}
	chatListParams struct {
		Archived optional[bool] `query:"archived" doc:"Only those that one has archived, or has not; left out: all."`
		Limit    int            `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Items of a page."`
		Cursor   string         `query:"cursor" doc:"next of the page before."`
	}
	chatParam struct {
		Chat string `path:"chat" doc:"The chat's id."`
	}
	sendParams struct {
		Chat string `path:"chat" doc:"The chat's id."`
		Key  string `header:"Idempotency-Key" doc:"The same key again returns the first result. Up to 255 characters. With a clientId in the body, the clientId counts instead."`
	}
	createParams struct {
		Key string `header:"Idempotency-Key" doc:"The same key again returns the first result. Up to 255 characters."`
	}
	historyParams struct {
		Chat   string          `path:"chat" doc:"The chat's id."`
		Before optional[int64] `query:"before" minimum:"0" doc:"Messages below this sequence."`
		After  optional[int64] `query:"after" minimum:"0" doc:"Messages above this sequence."`
		Around optional[int64] `query:"around" minimum:"0" doc:"Messages at and on both sides of this sequence."`
		Offset int             `query:"offset" minimum:"0" doc:"How many of the newest to pass over, instead of a sequence."`
		Limit  int             `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Messages of a page."`
		Cursor string          `query:"cursor" doc:"next of the page before, instead of all these but limit."`
	}
	messageParam struct {
		Chat    string `path:"chat" doc:"The chat's id."`
		Message string `path:"message" doc:"The message's id."`
	}
	reactionParam struct {
		Chat    string `path:"chat" doc:"The chat's id."`
		Message string `path:"message" doc:"The message's id."`
		Emoji   string `path:"emoji" doc:"One emoji, percent-encoded."`
	}
	deleteParams struct {
		Chat    string `path:"chat" doc:"The chat's id."`
		Message string `path:"message" doc:"The message's id."`
		For     string `query:"for" enum:"everyone,me" default:"me" doc:"Whether to delete the message for everyone, or to hide it from oneself."`
	}
	messagePageParams struct {
		Chat    string `path:"chat" doc:"The chat's id."`
		Message string `path:"message" doc:"The message's id."`
		Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Items of a page."`
		Cursor  string `query:"cursor" doc:"next of the page before."`
	}
	memberParam struct {
		Chat string `path:"chat" doc:"The group's id."`
		User string `path:"user" doc:"The member's user id."`
	}
	codeParam struct {
		Code string `path:"code" doc:"The invitation's code."`
	}
	codeParams struct {
		Chat string `path:"chat" doc:"The group's id."`
		Code string `path:"code" doc:"The invitation's code."`
	}
	inviteParams struct {
		Chat string `path:"chat" doc:"The group's id."`
		Key  string `header:"Idempotency-Key" doc:"The same key again returns the first result. Up to 255 characters."`
	}
	memberParams struct {
		Chat   string `path:"chat" doc:"The group's id."`
		Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Items of a page."`
		Cursor string `query:"cursor" doc:"next of the page before."`
	}
)

// keyClientID is the client id that an Idempotency-Key stands for on a route; "" without one.
func keyClientID(route, key string) (string, error) {
	if key == "" {
		return "", nil
	}
	if len(key) > 255 {
		return "", ErrInvalidKey
	}
	for _, c := range []byte(key) {
		if c < ' ' || c > '~' {
			return "", ErrInvalidKey
		}
	}
	return api.KeyClientID(route, key), nil
}

// optional is a parameter whose zero differs from its absence.
type optional[T any] struct {
	Value T
	Set   bool
}

// Schema, Receiver and OnParamSet are what huma asks of such a type.
func (o optional[T]) Schema(r huma.Registry) *huma.Schema {
	return huma.SchemaFromType(r, reflect.TypeFor[T]())
}
func (o *optional[T]) Receiver() reflect.Value    { return reflect.ValueOf(o).Elem().Field(0) }
func (o *optional[T]) OnParamSet(set bool, _ any) { o.Set = set }

func (o optional[T]) pointer() *T {
	if !o.Set {
		return nil
	}
	return &o.Value
}

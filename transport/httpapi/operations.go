package httpapi

import (
	"context"
	"net/http"

	"github.com/wigwag-chat/wigwag/transport/api"
)

// operationRoutes are health (RT-8), and tickets for the WebSocket (RT-1).
func (s *server) operationRoutes() {
	const tag = "Operations"
	add(s, route{call: "GET /healthz", id: "health", tag: tag, public: true,
		summary: "Whether the process lives"}, s.health)
	add(s, route{call: "GET /readyz", id: "ready", tag: tag, public: true,
		summary: "Whether it can serve"}, s.ready)
	if s.Tickets != nil {
		add(s, route{call: "GET /v1/ws", id: "connect", tag: "Live", public: true, status: http.StatusSwitchingProtocols,
			summary: "Open the WebSocket; 400 upgrade_required for a request that is no handshake", about: aboutSocket}, s.plainSocket)
		add(s, route{call: "POST /v1/ws/ticket", id: "issueTicket", tag: "Live", scope: "messages:read", status: http.StatusCreated,
			summary: "A ticket that opens one WebSocket within 30 s"}, s.ticket)
	}
}

const aboutSocket = `A handshake of RFC 6455, section 4.1, that offers the subprotocol wigwag.v1 in Sec-WebSocket-Protocol; the server selects it.
From then on both sides send text frames of one JSON object each: the client requests with an id and a type, the server replies, a hello first, and events.
One of three authenticates: the header Authorization, a ticket, or {"type":"auth","token":"…"} as the first frame within 5 s.`

// plainSocket answers what reaches this handler: the host gives handshakes to package ws.
func (s *server) plainSocket(context.Context, *call[socketParams, none]) (*reply[none], error) {
	return nil, ErrUpgrade
}

func (s *server) health(context.Context, *call[struct{}, none]) (*reply[api.Health], error) {
	return ok(api.Health{Status: "ok"})
}

func (s *server) ready(ctx context.Context, _ *call[struct{}, none]) (*reply[api.Health], error) {
	if err := s.Ping(ctx); err != nil {
		return nil, ErrNotReady.Because(err)
	}
	return ok(api.Health{Status: "ok"})
}

func (s *server) ticket(_ context.Context, c *call[struct{}, none]) (*reply[api.Ticket], error) {
	ticket, expiresAt, err := s.Tickets.Issue(c.Who)
	if err != nil {
		return nil, err
	}
	return &reply[api.Ticket]{http.StatusCreated, api.Ticket{Ticket: ticket, ExpiresAt: expiresAt.UTC()}}, nil
}

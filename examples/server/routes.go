package main

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed web
var web embed.FS

// routes puts the web client, the API and the development outbox, if any,
// together. On a server for this machine alone the outbox is shown under a name
// of this machine only: a page from elsewhere that has its name point here
// (DNS rebinding) reads no codes.
func routes(api http.Handler, box *outbox, local bool) http.Handler {
	pages, err := fs.Sub(web, "web")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	files := page(http.FileServerFS(pages))
	// No ServeMux, which would answer unclean paths with a redirect of its own.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		read := r.Method == http.MethodGet || r.Method == http.MethodHead
		switch folder, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); {
		case read && (folder == "" && r.URL.Path == "/" || folder == "css" || folder == "js" || folder == "img" || folder == "favicon.ico"):
			files.ServeHTTP(w, r)
		case read && box != nil && r.URL.Path == "/dev/outbox" && (!local || isLocalName(r.Host)):
			box.ServeHTTP(w, r)
		default:
			api.ServeHTTP(w, r)
		}
	})
}

// contentPolicy lets the client load itself and talk to this server, and nothing else.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// page adds the headers that a browser page needs (SPEC SEC-3).
func page(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		h.Set("Cache-Control", "no-cache") // embedded files have no time to compare by
		next.ServeHTTP(w, r)
	})
}

package httpapi

import (
	"embed"
	"net/http"
)

//go:embed docs
var docsFiles embed.FS

// serveDocs serves the page that shows the OpenAPI document. Its parts hang below
// /docs as relative addresses see them, so the page works below any prefix.
func serveDocs(mux *http.ServeMux) error {
	page, err := docsFiles.ReadFile("docs/docs.html")
	if err != nil {
		return err
	}
	mux.HandleFunc("GET /docs", func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		_, _ = w.Write(page)
	})
	for name, kind := range map[string]string{"docs.js": "text/javascript; charset=utf-8", "docs.css": "text/css; charset=utf-8"} {
		data, err := docsFiles.ReadFile("docs/" + name)
		if err != nil {
			return err
		}
		mux.HandleFunc("GET /docs/"+name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write(data)
		})
	}
	return nil
}

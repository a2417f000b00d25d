package httpapi

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/wigwag-chat/wigwag/transport/api"
)

const description = `Wigwag's HTTP interface.

Lists are pages: items, and next, the cursor of the following page, empty at the end.
A field without a value is left out. Times are RFC 3339 in UTC; ids are opaque.
Bodies are application/json in UTF-8, and are refused with 400 when a name is unknown or twice there.
Where no body is described, none or {} is taken.
Every answer that is no success is an Error; its code is stable, its requestId is also in X-Request-Id.
Somebody else's chat or message is answered as not found.`

// humaConfig sets huma up for this API alone: its package-level settings belong
// to the host.
func (s *server) humaConfig() huma.Config {
	schemas := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	schemas.RegisterTypeAlias(reflect.TypeFor[registered](), reflect.TypeFor[api.Tokens]())
	format := huma.Format{Marshal: marshal}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Wigwag", Version: s.Version, Description: description},
			// Relative to the document's own address, so right below any prefix.
			Servers: []*huma.Server{{URL: "./"}},
			Components: &huma.Components{
				Schemas: schemas,
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"bearer": {Type: "http", Scheme: "bearer", Description: "An access token. A host may take its own credentials instead."},
				},
			},
		},
		Formats:       map[string]huma.Format{"application/json": format, "json": format}, // "json": huma's name for its own errors
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{s.plainError},
	}
}

// messageSize is about the length of a message with a short text.
const messageSize = 512

// marshal writes a body and a line's end. A page of messages, the most frequent
// large one, is not reflected on.
func marshal(w io.Writer, v any) error {
	p, ok := v.(api.Page[api.Message])
	if !ok {
		return json.NewEncoder(w).Encode(v)
	}
	_, err := w.Write(append(api.AppendMessages(make([]byte, 0, (len(p.Items)+1)*messageSize), p), '\n'))
	return err
}

// document completes what huma wrote about an operation.
func (s *server) document(rt route, method, path string, body reflect.Type) {
	doc := s.api.OpenAPI()
	item := doc.Paths[path]
	op := map[string]*huma.Operation{
		http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodPatch: item.Patch, http.MethodDelete: item.Delete,
	}[method]
	schemas := doc.Components.Schemas
	if body != reflect.TypeFor[none]() {
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/json": {Schema: schemas.Schema(body, true, "")},
		}}
	}
	if rt.also != 0 {
		content := op.Responses[strconv.Itoa(op.DefaultStatus)].Content
		if rt.alsoIs != nil {
			content = map[string]*huma.MediaType{"application/json": {Schema: schemas.Schema(rt.alsoIs, true, "")}}
		}
		op.Responses[strconv.Itoa(rt.also)] = &huma.Response{Description: http.StatusText(rt.also), Content: content}
	}
	op.Responses["default"] = s.errorResponse()
}

func (s *server) errorResponse() *huma.Response {
	return &huma.Response{
		Description: "Anything else",
		Headers: map[string]*huma.Param{
			"X-Request-Id": {Description: "requestId of the body", Schema: &huma.Schema{Type: huma.TypeString}},
			"Retry-After":  {Description: "Seconds to wait: with 429, and with 503 where known", Schema: &huma.Schema{Type: huma.TypeInteger}},
		},
		Content: map[string]*huma.MediaType{
			"application/json": {Schema: s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[api.Error](), true, "")},
		},
	}
}

// serveDocument finishes the document and serves it, and the page that shows it.
func (s *server) serveDocument(mux *http.ServeMux) error {
	doc := s.api.OpenAPI()
	for path, kind := range map[string]string{"/openapi.json": "application/openapi+json", "/docs": "text/html"} {
		doc.AddOperation(&huma.Operation{
			Method: http.MethodGet, Path: path, OperationID: "get" + strings.ToUpper(path[1:2]) + strings.TrimSuffix(path[2:], ".json"),
			Tags: []string{"Operations"}, Summary: "This description, as " + kind,
			Responses: map[string]*huma.Response{
				"200":     {Description: "OK", Content: map[string]*huma.MediaType{kind: {}}},
				"default": s.errorResponse(),
			},
		})
	}
	schemas := doc.Components.Schemas.Map()
	delete(schemas, "ErrorModel") // huma's own, which no answer has
	delete(schemas, "ErrorDetail")
	for _, schema := range schemas {
		noNullArrays(schema)
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(text)
	})
	return serveDocs(mux)
}

// noNullArrays takes back that huma lets every array be null.
func noNullArrays(s *huma.Schema) {
	if s == nil {
		return
	}
	if s.Type == huma.TypeArray {
		s.Nullable = false
		noNullArrays(s.Items)
	}
	for _, p := range s.Properties {
		noNullArrays(p)
	}
	if more, ok := s.AdditionalProperties.(*huma.Schema); ok {
		noNullArrays(more)
	}
}

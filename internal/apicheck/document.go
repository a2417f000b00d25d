package apicheck

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// document is the part of an OpenAPI 3.1 document that exchanges are held to.
type document struct {
	OpenAPI    string                           `json:"openapi"`
	Paths      map[string]map[string]*operation `json:"paths"`
	Components struct {
		Schemas map[string]struct {
			Type any `json:"type"`
			More any `json:"additionalProperties"`
		} `json:"schemas"`
	} `json:"components"`

	fallback *response // of what no path describes
}

type operation struct {
	Parameters  []*parameter         `json:"parameters"`
	RequestBody *response            `json:"requestBody"`
	Responses   map[string]*response `json:"responses"`
}

type parameter struct {
	Name   string `json:"name"`
	In     string `json:"in"`
	Schema struct {
		Type any `json:"type"`
	} `json:"schema"`
	compiled *jsonschema.Schema
}

func (p *parameter) isNumber() bool { return p.Schema.Type == "integer" || p.Schema.Type == "number" }

// response is a response or a request body: contents by their type.
type response struct {
	Content map[string]*media `json:"content"`
}

type media struct {
	Schema   json.RawMessage `json:"schema"`
	compiled *jsonschema.Schema
}

const base = "openapi.json"

// load reads a document and compiles every schema in it, as JSON Schema 2020-12.
func load(data []byte) (*document, error) {
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(d.OpenAPI, "3.1.") {
		return nil, fmt.Errorf("version %q, want 3.1", d.OpenAPI)
	}
	for name, s := range d.Components.Schemas {
		if s.Type == "object" && s.More == nil {
			return nil, fmt.Errorf("schema %s lets any field pass", name)
		}
	}
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(base, raw); err != nil {
		return nil, err
	}
	contents := func(r *response, at ...string) error {
		for kind, m := range r.Content {
			if m.Schema == nil {
				continue
			}
			if m.compiled, err = c.Compile(pointer(append(at, "content", kind, "schema")...)); err != nil {
				return err
			}
		}
		return nil
	}
	for path, item := range d.Paths {
		for method, op := range item {
			for i, p := range op.Parameters {
				if p.compiled, err = c.Compile(pointer("paths", path, method, "parameters", fmt.Sprint(i), "schema")); err != nil {
					return nil, err
				}
			}
			if op.RequestBody != nil {
				if err := contents(op.RequestBody, "paths", path, method, "requestBody"); err != nil {
					return nil, err
				}
			}
			for status, r := range op.Responses {
				if err := contents(r, "paths", path, method, "responses", status); err != nil {
					return nil, err
				}
			}
			if op.Responses["default"] == nil {
				return nil, fmt.Errorf("%s %s describes no failures", method, path)
			}
			d.fallback = op.Responses["default"]
		}
	}
	if d.fallback == nil {
		return nil, errors.New("no paths")
	}
	return &d, nil
}

// pointer is the address of a place in the document.
func pointer(steps ...string) string {
	var b strings.Builder
	for _, s := range steps {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(s)))
	}
	return base + "#" + b.String()
}

// match finds the path of an address; literal segments go before parameters.
func (d *document) match(path string) (template string, item map[string]*operation) {
	best := -1
	for t, it := range d.Paths {
		if n := fit(t, path); n > best {
			best, template, item = n, t, it
		}
	}
	return template, item
}

// fit counts the literal segments by which a template fits a path; -1 when it does not.
func fit(template, path string) int {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return -1
	}
	literal := 0
	for i, w := range want {
		switch {
		case w == got[i]:
			literal++
		case !strings.HasPrefix(w, "{") || got[i] == "":
			return -1
		}
	}
	return literal
}

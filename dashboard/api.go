package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/nollagluiz/broadside/fleet"
)

// apiVersion is that of the description: paths and fields are only ever added to it.
const apiVersion = "1"

// api is the part of the routes that OpenAPI describes. huma routes, reads parameters and writes answers; bodies are read
// by us (decode.go), since it would read each twice, look at base64 with a regular expression, and answer 500 to a body
// that breaks off.
type api struct {
	huma   huma.API
	server *Server
	text   []byte // of openapi.json
}

const (
	schemaPrefix = "#/components/schemas/"
	jsonType     = "application/json"
)

func newAPI(mux *http.ServeMux, s *Server) *api {
	registry := huma.NewMapRegistry(schemaPrefix, huma.DefaultSchemaNamer)
	registry.RegisterTypeAlias(reflect.TypeFor[huma.ErrorModel](), reflect.TypeFor[problem]())
	a := &api{server: s, huma: humago.New(mux, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{Title: "Broadside", Version: apiVersion,
				Description: "A load-test fleet: targets, agents and runs. Errors are application/problem+json with a stable code."},
			Components: &huma.Components{Schemas: registry, SecuritySchemes: map[string]*huma.SecurityScheme{
				string(forAdmin):  {Type: "http", Scheme: "basic", Description: "ADMIN_BASIC_AUTH"},
				string(forAgents): {Type: "http", Scheme: "bearer", Description: "DASHBOARD_SECRET"},
			}},
		},
		Formats:       map[string]huma.Format{jsonType: huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: jsonType,
		Transformers:  []huma.Transformer{ownProblems},
	})}
	a.adminOperations()
	a.agentOperations()
	a.readOperations()
	return a
}

// schema is a reference to T's.
func schema[T any](a *api) *huma.Schema {
	return a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
}

// jsonBody describes a body that the operation reads itself.
func jsonBody(s *huma.Schema, types ...string) *huma.RequestBody {
	body := &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{}}
	for _, t := range append(types, jsonType) {
		body.Content[t] = &huma.MediaType{Schema: s}
	}
	return body
}

// register adds an operation. An error of its handler is answered as what toProblem makes of it.
func register[I, O any](a *api, op huma.Operation, handle func(context.Context, *I) (*O, error)) {
	op.SkipValidateBody = true
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	a.secure(&op)
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, a.server.problemOf(op.Method, op.Path, err)
		}
		return out, nil
	})
	if op.RequestBody != nil {
		delete(op.RequestBody.Content, "application/octet-stream") // what huma takes a RawBody for
	}
	a.describeErrors(&op)
}

func (a *api) secure(op *huma.Operation) {
	r := &http.Request{Method: op.Method, URL: &url.URL{Path: op.Path}}
	if needs := surfaceOf(r); needs != forAll {
		op.Security = []map[string][]string{{string(needs): {}}}
	}
}

func (a *api) describeErrors(op *huma.Operation) {
	op.Responses["default"] = &huma.Response{
		Description: "Error",
		Content:     map[string]*huma.MediaType{(*problem)(nil).ContentType(""): {Schema: schema[problem](a)}},
	}
}

// describe adds an operation that huma does not serve.
func (a *api) describe(op huma.Operation, contentType string) {
	op.Method = http.MethodGet
	op.Responses = map[string]*huma.Response{"200": {
		Description: http.StatusText(http.StatusOK),
		Content:     map[string]*huma.MediaType{contentType: {}},
	}}
	a.describeErrors(&op)
	a.huma.OpenAPI().AddOperation(&op)
}

// nullables are the fields that may be null and whose schema is a reference, which huma can't say.
var nullables = map[string][]string{"Run": {"metrics"}, "RunDetail": {"metrics", "series"}, "RunEnd": {"metrics"}}

// withOptions are the schemas with a field of k6's options, which huma takes for any JSON.
var withOptions = []string{"Target", "Target" + editSuffix}

// finish makes the description true and encodes it.
func (a *api) finish() {
	schemas := a.huma.OpenAPI().Components.Schemas.Map()
	for name, s := range schemas {
		if !strings.HasSuffix(name, editSuffix) {
			s.AdditionalProperties = nil // agents may be newer, and answers may grow
		}
		for _, property := range s.Properties {
			property.Nullable = property.Nullable && property.Type != huma.TypeArray // none of our lists is ever null
		}
	}
	for name, fields := range nullables {
		for _, field := range fields {
			reference := schemas[name].Properties[field]
			schemas[name].Properties[field] = &huma.Schema{
				Description: reference.Description,
				AnyOf:       []*huma.Schema{{Ref: reference.Ref}, {Type: "null"}},
			}
		}
	}
	for _, name := range withOptions {
		schemas[name].Properties["options"].Type = huma.TypeObject
	}
	compact, err := a.huma.OpenAPI().MarshalJSON()
	if err != nil {
		panic(err) // plain data can always be encoded
	}
	var text bytes.Buffer
	_ = json.Indent(&text, compact, "", "  ") // it was encoded a line above
	text.WriteByte('\n')
	a.text = text.Bytes()
}

func (a *api) serveDescription(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", jsonType)
	_, _ = w.Write(a.text)
}

// editSuffix ends the names of schemas that take no other field.
const editSuffix = "Edit"

// editOf is the schema of an edit of T: its fields but those that the dashboard makes, all optional, with those defaults
// that are not empty.
func editOf[T any](a *api, defaults T, readOnly ...string) *huma.Schema {
	name := reflect.TypeFor[T]().Name() + editSuffix
	schemas := a.huma.OpenAPI().Components.Schemas
	whole := schemas.SchemaFromRef(schema[T](a).Ref)
	edit := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}, AdditionalProperties: false}
	fields := jsonFields(reflect.ValueOf(&defaults).Elem())
	for field := range maps.Keys(whole.Properties) {
		if slices.Contains(readOnly, field) {
			continue
		}
		property := *whole.Properties[field]
		if value := fields[field]; !value.IsZero() {
			property.Default = value.Interface()
		}
		edit.Properties[field] = &property
	}
	schemas.Map()[name] = edit
	return &huma.Schema{Ref: schemaPrefix + name}
}

// etagOf is the tag of a revision (docs/wire.md); "" for what was never stored.
func etagOf(revision int64) string {
	if revision == 0 {
		return ""
	}
	return strconv.Quote(strconv.FormatInt(revision, 10))
}

// revisionOf reads an If-Match of such a tag: 0, which takes any revision, if there is none or it is *. A tag that is
// none of ours matches nothing.
func revisionOf(ifMatch string) (int64, error) {
	if ifMatch == "" || ifMatch == "*" {
		return 0, nil
	}
	if text, err := strconv.Unquote(ifMatch); err == nil {
		if revision, err := strconv.ParseInt(text, 10, 64); err == nil && etagOf(revision) == ifMatch {
			return revision, nil
		}
	}
	return 0, fleet.Errorf(fleet.PreconditionFailed, "If-Match names no revision of it")
}

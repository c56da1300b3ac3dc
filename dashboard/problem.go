package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
)

// internal is the code of a fault of ours, about which its receiver learns nothing more.
const internal fleet.Code = "internal"

// codeOf is the code of a status that a library chose.
func codeOf(status int) fleet.Code {
	switch status {
	case http.StatusNotFound:
		return fleet.NotFound
	case http.StatusUnprocessableEntity:
		return fleet.ValidationFailed
	case http.StatusRequestEntityTooLarge:
		return fleet.TooLarge
	case http.StatusServiceUnavailable:
		return fleet.Overloaded
	}
	if status >= http.StatusInternalServerError {
		return internal
	}
	return fleet.Malformed
}

// problem is an error as it is answered: RFC 9457, with our code. huma serializes it as it does its own.
type problem struct {
	Type   string       `json:"type" doc:"Always about:blank: what it is, code says"`
	Title  string       `json:"title" doc:"The status in words"`
	Status int          `json:"status" doc:"The HTTP status"`
	Detail string       `json:"detail,omitempty" doc:"One sentence"`
	Code   fleet.Code   `json:"code" doc:"The stable word of the error" enum:"malformed,validation_failed,unauthorized,forbidden,not_found,conflict,agent_name_in_use,precondition_failed,too_large,rate_limited,overloaded,internal"`
	Errors []fieldFault `json:"errors,omitempty" doc:"The fields at fault"`

	header http.Header
}

// fieldFault says which part of a request is at fault. It never repeats a value that may be a secret.
type fieldFault struct {
	Location string `json:"location" doc:"Such as body.vus, query.limit or path.id"`
	Message  string `json:"message"`
}

func newProblem(status int, code fleet.Code, detail string) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail, header: http.Header{}}
}

// Error implements error, GetStatus and ContentType what huma asks of one.
func (p *problem) Error() string             { return string(p.Code) + ": " + p.Detail }
func (p *problem) GetStatus() int            { return p.Status }
func (p *problem) GetHeaders() http.Header   { return p.header }
func (p *problem) ContentType(string) string { return "application/problem+json" }

// Bounds of an answer that names everything that is wrong.
const (
	maxDetail = 1000 // characters
	maxFaults = 100
)

// toProblem is the answer to err. hidden is what must be logged instead of shown; nil if err is for its receiver.
func toProblem(err error) (p *problem, hidden error) {
	var own *problem
	var known *fleet.Error
	switch {
	case errors.As(err, &own):
		return own, nil
	case errors.As(err, &known):
		p = newProblem(known.Code.Status(), known.Code, cutRunes(known.Message, maxDetail))
		for _, f := range known.Fields[:min(len(known.Fields), maxFaults)] {
			p.Errors = append(p.Errors, fieldFault{Location: location(f), Message: f.Message})
		}
		if known.Code == fleet.Overloaded {
			p.retryAfter(1)
		}
		return p, nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		p = newProblem(http.StatusServiceUnavailable, fleet.Overloaded, "the request was not done in time")
		p.retryAfter(1)
		return p, err
	}
	return newProblem(http.StatusInternalServerError, internal, ""), err
}

// location of a field of the body; a fault of the body as a whole has no field.
func location(f plan.FieldError) string {
	if f.Field == "" {
		return "body"
	}
	return "body." + f.Field
}

func (p *problem) retryAfter(seconds int) {
	p.header.Set("Retry-After", strconv.Itoa(max(seconds, 1)))
}

// write answers where huma does not.
func (p *problem) write(w http.ResponseWriter) {
	for name, values := range p.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the receiver has gone; there is nobody to tell
}

// ownProblems turns huma's errors (a parameter that does not fit) into ours.
func ownProblems(_ huma.Context, _ string, v any) (any, error) {
	theirs, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := newProblem(theirs.Status, codeOf(theirs.Status), theirs.Detail)
	for _, e := range theirs.Errors {
		p.Errors = append(p.Errors, fieldFault{Location: e.Location, Message: e.Message})
	}
	return p, nil
}

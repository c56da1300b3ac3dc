package fleet

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/nollagluiz/broadside/plan"
)

// Code is the stable word of an error, by which programs and translations know it.
type Code string

// The codes (docs/wire.md).
const (
	Malformed          Code = "malformed"           // 400: not the JSON that is wanted
	ValidationFailed   Code = "validation_failed"   // 422: a field is at fault
	Unauthorized       Code = "unauthorized"        // 401
	Forbidden          Code = "forbidden"           // 403
	NotFound           Code = "not_found"           // 404
	Conflict           Code = "conflict"            // 409
	AgentNameInUse     Code = "agent_name_in_use"   // 409: a second live instance of a name
	PreconditionFailed Code = "precondition_failed" // 412: a stale If-Match
	TooLarge           Code = "too_large"           // 413
	RateLimited        Code = "rate_limited"        // 429
	Overloaded         Code = "overloaded"          // 503
)

// Codes lists every code, for those who must have a word for each.
func Codes() []Code {
	return []Code{Malformed, ValidationFailed, Unauthorized, Forbidden, NotFound, Conflict, AgentNameInUse, PreconditionFailed, TooLarge, RateLimited, Overloaded}
}

// Status is the HTTP status that goes with the code; 500 for one that is none of ours.
func (c Code) Status() int {
	switch c {
	case Malformed:
		return http.StatusBadRequest
	case ValidationFailed:
		return http.StatusUnprocessableEntity
	case Unauthorized:
		return http.StatusUnauthorized
	case Forbidden:
		return http.StatusForbidden
	case NotFound:
		return http.StatusNotFound
	case Conflict, AgentNameInUse:
		return http.StatusConflict
	case PreconditionFailed:
		return http.StatusPreconditionFailed
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case RateLimited:
		return http.StatusTooManyRequests
	case Overloaded:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// Error is an error that its receiver may read. Anything else is internal, logged and shown to nobody.
type Error struct {
	Code    Code
	Message string            // one sentence, without secrets
	Fields  []plan.FieldError // for ValidationFailed
}

func (e *Error) Error() string { return e.Message }

// Errorf makes an Error.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid wraps what Validate found.
func Invalid(err error) *Error {
	out := &Error{Code: ValidationFailed, Message: err.Error()}
	var fields plan.FieldErrors
	if errors.As(err, &fields) {
		out.Fields = fields
	}
	return out
}

// CodeOf is the code of err, or "" if err is none of ours.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

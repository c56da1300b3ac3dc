package dashboard

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"

	"github.com/nollagluiz/broadside/fleet"
)

// Bounds of a body in bytes, as it is sent and inflated.
//
// A target holds a body and a script of 1 MiB each. JSON's ordinary escapes make at most three bytes of one: \n of a line
// break, \u00e9 of two bytes of UTF-8. That is 6 MiB, and all else that a target holds fits into one more. More would be
// of no use: polls take no more than maxPollTargets.
const (
	maxAdminBody = 8 << 20
	maxAgentBody = 128 << 10
	maxRunBody   = 256 << 10
	maxOpenBody  = 4 << 10 // nothing there takes one
)

func maxBody(r *http.Request) int64 {
	switch needs := surfaceOf(r); {
	case needs == forAdmin:
		return maxAdminBody
	case needs == forAll:
		return maxOpenBody
	case strings.HasPrefix(r.URL.Path, "/api/k6/runs"):
		return maxRunBody
	}
	return maxAgentBody
}

// readBody replaces the body of an API's request by one that is whole, in memory, inflated and within its bound, so that
// nothing behind it fails for what a client sent.
func readBody(w http.ResponseWriter, r *http.Request) *problem {
	if r.Body == nil || r.Body == http.NoBody {
		return checkMediaType(r, false)
	}
	limit := maxBody(r)
	body, err := inflate(http.MaxBytesReader(w, r.Body, limit), r.Header.Get("Content-Encoding"), limit)
	if err != nil {
		return bodyProblem(err, limit)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	return checkMediaType(r, len(body) > 0)
}

var (
	errTooLarge = errors.New("too large")
	errEncoding = errors.New("unknown content encoding")
)

// inflate reads a body and undoes its encoding. The bound is on what comes out, so a bomb costs no more than a body of
// that size.
func inflate(body io.Reader, encoding string, limit int64) ([]byte, error) {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
	case "gzip", "x-gzip":
		zipped, err := gzip.NewReader(body)
		if err != nil {
			return nil, err
		}
		body = zipped
	default:
		return nil, errEncoding
	}
	out, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err == nil && int64(len(out)) > limit {
		err = errTooLarge
	}
	return out, err
}

func bodyProblem(err error, limit int64) *problem {
	var long *http.MaxBytesError
	var slow net.Error
	switch {
	case errors.Is(err, errTooLarge), errors.As(err, &long):
		p, _ := toProblem(fleet.Errorf(fleet.TooLarge, "the body has over %d bytes", limit))
		return p
	case errors.Is(err, errEncoding):
		return newProblem(http.StatusUnsupportedMediaType, fleet.Malformed, "the content encoding must be gzip or none")
	case errors.As(err, &slow) && slow.Timeout():
		return newProblem(http.StatusRequestTimeout, fleet.Malformed, "the body did not come in time")
	}
	return newProblem(http.StatusBadRequest, fleet.Malformed, "the body can't be read")
}

// checkMediaType lets writes be JSON only: what a form of a foreign page can send is never taken for it.
func checkMediaType(r *http.Request, needed bool) *problem {
	text := r.Header.Get("Content-Type")
	if text == "" && !needed {
		return nil
	}
	kind, _, err := mime.ParseMediaType(text)
	switch {
	case err != nil:
	case kind == "application/json":
		return nil
	case kind == "application/merge-patch+json" && r.Method == http.MethodPatch:
		return nil
	}
	return newProblem(http.StatusUnsupportedMediaType, fleet.Malformed, "the content type must be application/json")
}

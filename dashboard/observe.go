package dashboard

import (
	"net/http"
	"runtime/debug"
	"time"

	"github.com/sirupsen/logrus"
)

// answer notes what is answered, for the metrics and the log.
type answer struct {
	http.ResponseWriter
	status int    // 0 until the head is written
	bytes  int64  // of the body
	route  string // the pattern that took the request; "" if none did
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= http.StatusOK {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(p)
	a.bytes += int64(n)
	return n, err
}

// Unwrap serves http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// observe is the outermost layer: it measures, logs, and turns a panic into an answer. Neither query nor headers are
// logged, since they may hold secrets.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		a := &answer{ResponseWriter: w}
		defer func() {
			fault := recover()
			if fault != nil && fault != http.ErrAbortHandler {
				s.log.WithFields(logrus.Fields{"method": r.Method, "route": a.route, "panic": fault, "stack": string(debug.Stack())}).Error("a request made the dashboard panic")
				if a.status == 0 {
					newProblem(http.StatusInternalServerError, internal, "").write(a)
					fault = nil
				}
			}
			took := time.Since(began)
			s.metrics.request(a.route, r.Method, a.status, took)
			s.log.WithFields(logrus.Fields{"method": r.Method, "path": r.URL.Path, "status": a.status, "bytes": a.bytes, "took": took}).Debug("request")
			if fault != nil {
				panic(http.ErrAbortHandler) // half an answer must not look like a whole one
			}
		}()
		next.ServeHTTP(a, r)
	})
}

// fail answers with err.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	s.problemOf(r.Method, r.URL.Path, err).write(w)
}

// problemOf is the answer to err; what its receiver must not see is logged.
func (s *Server) problemOf(method, path string, err error) *problem {
	p, hidden := toProblem(err)
	if hidden != nil {
		entry := s.log.WithError(hidden).WithFields(logrus.Fields{"method": method, "path": path})
		if p.Status == http.StatusInternalServerError {
			entry.Error("a request failed")
		} else {
			entry.Debug("a request was not done in time")
		}
	}
	return p
}

package dashboard

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/nollagluiz/broadside/fleet"
)

// policy allows the pages' own style sheet, their icon and their forms, and nothing else.
const policy = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard lets through what may be asked, with a body that may be read.
func (s *Server) guard(next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", policy)
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("X-Frame-Options", "DENY")
		head.Set("Referrer-Policy", "same-origin")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		head.Set("Cache-Control", "no-store")
		if err := crossOrigin.Check(r); err != nil {
			newProblem(http.StatusForbidden, fleet.Forbidden, "a page of another site may not do this").write(w)
			return
		}
		needs := surfaceOf(r)
		if p, failed := s.auth.check(r, needs); p != nil {
			if failed {
				s.metrics.authFailures.WithLabelValues(string(needs)).Inc()
			}
			p.write(w)
			return
		}
		if needs == forAgents {
			s.cfg.Service.agents.touch(r.Header.Get(fleet.HeaderAgent), epochOf(r.Header.Get(fleet.HeaderEpoch)), s.cfg.Service.cfg.Now())
		}
		if strings.HasPrefix(r.URL.Path, "/api/") {
			if p := readBody(w, r); p != nil {
				p.write(w)
				return
			}
		}
		ctx, cancel := context.WithTimeout(r.Context(), handleTimeout)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// route serves the mux, with answers of our kind where it has no route: 404, or 405 with Allow.
func route(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, pattern := mux.Handler(r)
		if pattern == "" {
			none := &headOnly{header: http.Header{}}
			handler.ServeHTTP(none, r)
			p := newProblem(none.status, codeOf(none.status), "")
			if allow := none.header.Get("Allow"); allow != "" {
				p.header.Set("Allow", allow)
			}
			p.write(w)
			return
		}
		if a, ok := w.(*answer); ok {
			_, path, ok := strings.Cut(pattern, " ")
			if !ok {
				path = pattern // for every method
			}
			a.route = path
		}
		mux.ServeHTTP(w, r)
	})
}

// headOnly takes an answer's status and header and drops its body.
type headOnly struct {
	header http.Header
	status int
}

func (h *headOnly) Header() http.Header         { return h.header }
func (h *headOnly) WriteHeader(status int)      { h.status = status }
func (h *headOnly) Write(p []byte) (int, error) { return len(p), nil }

// routes mounts everything. Operations that OpenAPI describes are in api.go and its neighbours.
func (s *Server) routes(mux *http.ServeMux) {
	s.api = newAPI(mux, s)
	mux.Handle("/agents/", s.cfg.Pages)
	mux.Handle("GET /{$}", http.RedirectHandler("/agents/k6", http.StatusSeeOther))
	mux.HandleFunc("GET /admin/login", login)
	for _, plain := range []struct {
		op      huma.Operation
		content string
		serve   http.HandlerFunc
	}{
		{huma.Operation{OperationID: "metrics", Path: "/api/metrics", Summary: "Prometheus metrics"}, "text/plain", s.metrics.serve},
		{huma.Operation{OperationID: "health", Path: "/healthz", Summary: "The process answers"}, "application/json", s.healthz},
		{huma.Operation{OperationID: "ready", Path: "/readyz", Summary: "The store can be read and written, and no shutdown is under way"}, "application/json", s.readyz},
		{huma.Operation{OperationID: "openapi", Path: "/api/openapi.json", Summary: "This description"}, "application/json", s.api.serveDescription},
	} {
		s.api.describe(plain.op, plain.content)
		mux.HandleFunc("GET "+plain.op.Path, plain.serve)
	}
	s.api.finish()
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) { writeOK(w) }

func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if s.draining.Load() {
		s.fail(w, r, fleet.Errorf(fleet.Overloaded, "the dashboard is shutting down"))
		return
	}
	if _, err := s.ready.get(r.Context(), time.Now()); err != nil {
		s.log.WithError(err).Warn("not ready: the store can't be written")
		s.fail(w, r, fleet.Errorf(fleet.Overloaded, "the store can't be written"))
		return
	}
	writeOK(w)
}

func writeOK(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"status":"ok"}`+"\n")
}

// login asks a browser for the administrator's password, once, by being below /admin/, and sends it on to ?next=, if
// that is a path of ours.
func login(w http.ResponseWriter, r *http.Request) {
	next := r.URL.Query().Get("next")
	u, err := url.Parse(next)
	// Browsers read \ as /, and // as the begin of another host.
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, `\`) {
		next = "/agents/k6"
	}
	w.Header().Set("Location", next)
	w.WriteHeader(http.StatusSeeOther)
}

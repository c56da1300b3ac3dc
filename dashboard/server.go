package dashboard

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/nollagluiz/broadside/fleet"
)

// Bounds of a request and of the end, in time and size.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second // 256 KiB at 140 kbit/s
	writeTimeout      = 30 * time.Second
	handleTimeout     = 25 * time.Second  // then there is still time to say so
	idleTimeout       = 120 * time.Second // over the agents' intervals, so that they keep their connection
	maxHeaderBytes    = 16 << 10          // a URL of 4 KiB among them
	shutdownTimeout   = 10 * time.Second
	flushInterval     = 5 * time.Second // how much of what heartbeats said a crash may lose
)

// Config is what New needs.
type Config struct {
	Service      *Service
	Pages        http.Handler       // everything below /agents/; nil: there are none
	Admin        Credentials        // never empty
	AgentSecrets []string           // one, or two during a rotation
	ReaperStats  func() ReaperStats // for the metrics; nil: there is no reaper
	DrainDelay   time.Duration      // how long /readyz says no before connections are closed; 0: not at all
	Version      string             // of the build
	Log          logrus.FieldLogger // nil drops it
}

// ReaperStats is what the reaper did since its start.
type ReaperStats struct {
	RunsTimedOut  int64
	RefsCleared   int64
	MarkedOffline int64
	AgentsDeleted int64
	RunsDeleted   int64
	LastSuccess   time.Time // of a sweep; zero before the first
}

// Server answers HTTP. It is safe for concurrent use.
type Server struct {
	cfg      Config
	log      logrus.FieldLogger
	auth     *auth
	metrics  *metrics
	api      *api
	handler  http.Handler
	ready    *cached[struct{}]
	draining atomic.Bool
}

// New returns a Server that answers through Handler, or serves by itself with Serve.
func New(cfg Config) (*Server, error) {
	if cfg.Service == nil {
		return nil, errors.New("dashboard: a service is needed")
	}
	if cfg.Log == nil {
		cfg.Log = quiet()
	}
	if cfg.Pages == nil {
		cfg.Pages = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			newProblem(http.StatusNotFound, fleet.NotFound, "this build has no pages").write(w)
		})
	}
	auth, err := newAuth(cfg.Admin, cfg.AgentSecrets, cfg.Service.cfg.Now)
	if err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	s := &Server{cfg: cfg, log: cfg.Log, auth: auth}
	if s.metrics, err = newMetrics(s); err != nil {
		return nil, fmt.Errorf("dashboard: metrics: %w", err)
	}
	s.ready = newCached(time.Second, func(ctx context.Context) (struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		return struct{}{}, cfg.Service.store.Ping(ctx)
	})
	mux := http.NewServeMux()
	s.routes(mux)
	s.handler = s.observe(s.guard(route(mux)))
	return s, nil
}

func quiet() logrus.FieldLogger {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return log
}

// Handler answers every request of the dashboard.
func (s *Server) Handler() http.Handler { return s.handler }

// Serve answers on l until ctx is done. Then /readyz says no, requests under way get 10 seconds to end, and what agents
// said last is stored.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          stdlog.New(debugLog{s.log}, "", 0),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	s.draining.Store(true)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.DrainDelay+shutdownTimeout)
	defer cancel()
	select {
	case <-time.After(s.cfg.DrainDelay):
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	}
	err := server.Shutdown(end)
	if err != nil {
		err = errors.Join(fmt.Errorf("shut down: %w", err), server.Close())
	}
	<-failed
	return errors.Join(err, s.flush(end))
}

// Run stores what heartbeats said each 5 seconds, and a last time when ctx is done.
func (s *Server) Run(ctx context.Context) error {
	tick := time.NewTicker(flushInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := s.cfg.Service.Flush(ctx); err != nil && ctx.Err() == nil {
				s.log.WithError(err).Error("heartbeats are not stored; the next flush tries again")
			}
		case <-ctx.Done():
			return s.flush(ctx)
		}
	}
}

// flush stores what is left, also when ctx is done.
func (s *Server) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushInterval)
	defer cancel()
	return s.cfg.Service.Flush(ctx)
}

// debugLog takes what net/http says of single connections, which is noise unless one looks for it.
type debugLog struct{ log logrus.FieldLogger }

func (d debugLog) Write(p []byte) (int, error) {
	d.log.Debug(strings.TrimSpace(string(p)))
	return len(p), nil
}

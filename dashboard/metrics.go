package dashboard

import (
	"context"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/nollagluiz/broadside/fleet"
)

// metrics are what /api/metrics shows. No label comes from outside but the routes, methods and status classes that there
// are, so their number is bounded.
type metrics struct {
	registry     *prometheus.Registry
	handler      http.Handler
	duration     *prometheus.HistogramVec
	authFailures *prometheus.CounterVec
}

func newMetrics(s *Server) (*metrics, error) {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "broadside_http_server_request_duration_seconds", Help: "Time to answer a request, by route.",
			Buckets:                     []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
		}, []string{"route", "method", "code"}),
		authFailures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "broadside_auth_failures_total", Help: "Requests with wrong credentials.",
		}, []string{"surface"}),
	}
	for _, s := range []surface{forAdmin, forAgents} {
		m.authFailures.WithLabelValues(string(s)) // a series that is there from the start can be alerted on
	}
	all := []prometheus.Collector{
		m.duration, m.authFailures,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		gauge("broadside_build_info", "The build; always 1.", prometheus.Labels{"version": s.cfg.Version, "revision": revision(), "goversion": runtime.Version()}, func() float64 { return 1 }),
	}
	all = append(all, s.cfg.Service.collectors()...)
	if s.cfg.ReaperStats != nil {
		all = append(all, reaperCollectors(s.cfg.ReaperStats)...)
	}
	for _, c := range all {
		if err := m.registry.Register(c); err != nil {
			return nil, err
		}
	}
	m.handler = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		EnableOpenMetrics: true, MaxRequestsInFlight: 4, Timeout: 10 * time.Second, ErrorHandling: promhttp.ContinueOnError,
	})
	return m, nil
}

func (m *metrics) serve(w http.ResponseWriter, r *http.Request) { m.handler.ServeHTTP(w, r) }

// request notes one that was answered.
func (m *metrics) request(route, method string, status int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		method = "other"
	}
	class := "2xx" // net/http's, for an answer without a status
	if status > 0 {
		class = strconv.Itoa(status/100) + "xx"
	}
	m.duration.WithLabelValues(route, method, class).Observe(took.Seconds())
}

func gauge(name, help string, labels prometheus.Labels, f func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, f)
}

func counter[T int64 | uint64](name, help string, labels prometheus.Labels, f func() T) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, func() float64 { return float64(f()) })
}

// collectors are the fleet's state and what it measured.
func (s *Service) collectors() []prometheus.Collector {
	const (
		agentsHelp  = "Known agents, by status."
		targetsHelp = "Targets, by whether they are enabled."
		runsHelp    = "Runs whose result came in, by status and verdict."
		reqHelp     = "Requests that the runs made, by outcome."
	)
	online := func() float64 { return float64(s.agents.countOnline(s.cfg.Now())) }
	failed := func() int64 { return s.counts.failures.Load() }
	out := []prometheus.Collector{
		gauge("broadside_agents", agentsHelp, prometheus.Labels{"status": string(fleet.AgentOnline)}, online),
		gauge("broadside_agents", agentsHelp, prometheus.Labels{"status": string(fleet.AgentOffline)}, func() float64 { return float64(s.agents.count()) - online() }),
		gauge("broadside_desired_agents", "The number of agents that the configuration asks for.", nil, func() float64 { return float64(s.settings.Load().DesiredAgents) }),
		gauge("broadside_stopped", "Whether the kill switch is set.", nil, func() float64 { return toFloat(s.settings.Load().Stopped) }),
		gauge("broadside_targets", targetsHelp, prometheus.Labels{"enabled": "true"}, func() float64 { return float64(s.targets.Load().count(true)) }),
		gauge("broadside_targets", targetsHelp, prometheus.Labels{"enabled": "false"}, func() float64 { return float64(s.targets.Load().count(false)) }),
		gauge("broadside_runs_in_progress", "Runs that are running.", nil, s.countRunning),
		counter("broadside_requests_total", reqHelp, prometheus.Labels{"outcome": "failed"}, failed),
		counter("broadside_requests_total", reqHelp, prometheus.Labels{"outcome": "ok"}, s.counts.successes.Load),
		counter("broadside_received_bytes_total", "Bytes that the runs received from their targets.", nil, s.counts.received.Load),
	}
	for i, o := range outcomes {
		out = append(out, counter("broadside_runs_total", runsHelp, prometheus.Labels{"status": string(o.status), "verdict": string(o.verdict)}, s.counts.runs[i].Load))
	}
	return out
}

// countRunning is for the metrics: 0 when the store does not answer.
func (s *Service) countRunning() float64 {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	n, err := s.running.get(ctx, s.cfg.Now())
	if err != nil {
		s.cfg.Log.WithError(err).Warn("runs in progress can't be counted")
	}
	return float64(n)
}

func toFloat(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// reaperCollectors are the reaper's work; the first two have the names of the original fleet.
func reaperCollectors(stats func() ReaperStats) []prometheus.Collector {
	return []prometheus.Collector{
		counter("reaper_k6agents_marked_offline_total", "Agents that were marked offline, since they were silent.", nil, func() int64 { return stats().MarkedOffline }),
		counter("reaper_k6agents_deleted_total", "Agents that were deleted, since they were offline for long.", nil, func() int64 { return stats().AgentsDeleted }),
		counter("broadside_reaper_runs_timed_out_total", "Runs that were given up as lost at their deadline.", nil, func() int64 { return stats().RunsTimedOut }),
		counter("broadside_reaper_run_refs_cleared_total", "Agents whose current run was cleared, since it isn't running.", nil, func() int64 { return stats().RefsCleared }),
		counter("broadside_reaper_runs_deleted_total", "Runs that were deleted, since they were older than the retention.", nil, func() int64 { return stats().RunsDeleted }),
		gauge("broadside_reaper_last_success_timestamp_seconds", "Unix time of the reaper's last sweep without an error; 0 before the first.", nil, func() float64 {
			at := stats().LastSuccess
			if at.IsZero() {
				return 0
			}
			return float64(at.UnixMilli()) / 1000
		}),
	}
}

// revision is the commit that the binary was built from, where the go command noted it.
func revision() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				return setting.Value
			}
		}
	}
	return "unknown"
}

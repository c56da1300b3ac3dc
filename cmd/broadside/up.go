package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/nollagluiz/broadside/agent"
	"github.com/nollagluiz/broadside/cmd/internal/runners"
	"github.com/nollagluiz/broadside/dashboard"
	"github.com/nollagluiz/broadside/dashboard/pages"
	"github.com/nollagluiz/broadside/dashboard/reaper"
	"github.com/nollagluiz/broadside/dashboard/scaler"
	"github.com/nollagluiz/broadside/dashboard/scaler/embedded"
	"github.com/nollagluiz/broadside/dashboard/store/sqlite"
	"github.com/nollagluiz/broadside/engine"
	"github.com/nollagluiz/broadside/fleet"
)

// agentsEnd is how long the embedded agents get to abort their runs, send the results and say goodbye.
const agentsEnd = 6 * time.Second

// embeddedInstance begins the instance ids of embedded agents. A dashboard that was killed took its agents along: the next
// one knows by this that they are gone, lets its own take their names at once, and ends their runs as lost.
const embeddedInstance = "embedded-"

// agentConns bounds the idle connections that the embedded agents share to their dashboard.
const agentConns = 64

// serve runs the dashboard until ctx is done. Then agents end first, while there is still a dashboard that takes their
// results; then the server, then the store.
func serve(ctx context.Context, env environment, secrets secrets, demo bool, stdout io.Writer, log *logrus.Logger) (err error) {
	unlock, err := lockDir(env.DataDir)
	if err != nil {
		return err
	}
	defer unlock()
	store, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(env.DataDir, "broadside.db")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", env.ListenAddr)
	if err != nil {
		return fmt.Errorf("LISTEN_ADDR: %w", err)
	}
	defer listener.Close()
	base := localURL(listener.Addr().String())

	d := &deployment{env: env, log: log, store: store, base: base, secrets: secrets}
	if err := d.build(ctx); err != nil {
		return err
	}
	var url string
	if demo {
		var site *http.Server
		if url, site, err = serveDemo(); err != nil {
			return err
		}
		defer site.Close()
	}
	if err := d.setDemo(ctx, url); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "Broadside %s serves %s/agents/k6 (data in %s)\n", version, base, env.DataDir)
	return d.run(ctx, listener)
}

// deployment is the parts of one dashboard process.
type deployment struct {
	env     environment
	log     *logrus.Logger
	store   *sqlite.Store
	base    string // URL by which this process reaches itself
	secrets secrets

	service *dashboard.Service
	server  *dashboard.Server
	reaper  *reaper.Reaper
	engine  *engine.Engine
	runners *runners.Runners // nil with SCALER=none
	scaler  *scaler.Scaler   // nil with SCALER=none
	agents  *embedded.Driver // nil with SCALER=none
}

func (d *deployment) build(ctx context.Context) (err error) {
	report := func(part string) func(error) {
		return func(err error) { d.log.WithError(err).Error(part) }
	}
	if d.env.Scaler == scalerEmbedded {
		if err := d.buildScaler(report("the scaler failed")); err != nil {
			return err
		}
	}
	cfg := dashboard.ServiceConfig{
		Store:             d.store,
		PollInterval:      time.Duration(d.env.PollMs) * time.Millisecond,
		HeartbeatInterval: time.Duration(d.env.HeartbeatMs) * time.Millisecond,
		Gone:              func(a fleet.Agent) bool { return strings.HasPrefix(a.InstanceID, embeddedInstance) },
		Log:               d.log,
	}
	if d.scaler != nil {
		cfg.Scaler = d.scaler
	}
	if err := d.firstConfig(ctx); err != nil {
		return err
	}
	if d.service, err = dashboard.NewService(ctx, cfg); err != nil {
		return err
	}
	d.reaper, err = reaper.New(reaper.Config{
		Store:       d.store,
		Heartbeat:   cfg.HeartbeatInterval,
		Retention:   time.Duration(d.env.RunRetention) * 24 * time.Hour,
		CascadeRuns: d.env.CascadeRuns,
		Flush:       d.service.Flush,
		Forget:      d.service.Forget,
		Idle:        d.service.Idle,
		Report:      report("the reaper failed"),
	})
	if err != nil {
		return err
	}
	pages, err := pages.New(pages.Config{
		Fleet:   d.service,
		Version: version,
		OnError: func(r *http.Request, err error) {
			d.log.WithError(err).WithField("path", r.URL.Path).Error("a page failed")
		},
	})
	if err != nil {
		return err
	}
	d.server, err = dashboard.New(dashboard.Config{
		Service:      d.service,
		Pages:        pages,
		Admin:        dashboard.Credentials{User: d.secrets.adminUser, Password: d.secrets.adminPassword},
		AgentSecrets: d.secrets.agents,
		ReaperStats:  func() dashboard.ReaperStats { return dashboard.ReaperStats(d.reaper.Stats()) },
		Version:      version,
		Log:          d.log,
	})
	return err
}

// buildScaler gives all embedded agents one engine, one external k6, one limit of virtual users and one pool of connections.
func (d *deployment) buildScaler(report func(error)) (err error) {
	d.engine, err = engine.New(engine.Config{Version: version, DenyPrivate: d.env.DenyPrivate})
	if err != nil {
		return err
	}
	if d.runners, err = runners.New(d.env.runners(), d.engine); err != nil {
		return err
	}
	limit := agent.NewVULimit(d.env.MaxVUs)
	instance := embeddedInstance + rand.Text()
	transport := agent.NewTransport(agentConns)
	d.agents, err = embedded.New(func(ctx context.Context, name string) error {
		a, err := agent.New(agent.Config{
			DashboardURL:      d.base,
			Secret:            d.secrets.agents[0],
			Name:              name,
			InstanceID:        instance,
			Version:           version,
			MaxConcurrentRuns: d.env.MaxConcurrentRuns,
			VULimit:           limit,
			Runner:            d.runners.Runner,
			Engine:            d.runners.Engine,
			K6:                d.runners.K6,
			Transport:         transport,
			Log:               d.log,
		})
		if err != nil {
			return err
		}
		return a.Run(ctx)
	}, func(name string, err error) { d.log.WithError(err).WithField("agent", name).Error("an agent ended") })
	if err != nil {
		return err
	}
	d.scaler, err = scaler.New(scaler.Config{Driver: d.agents, Desired: d.desired, Report: report})
	return err
}

func (d *deployment) desired(ctx context.Context) (int, error) {
	cfg, err := d.service.Config(ctx)
	return cfg.DesiredAgents, err
}

// firstConfig sets the desired count on the very first start; later it is the configuration's alone.
func (d *deployment) firstConfig(ctx context.Context) error {
	cfg, err := d.store.Config(ctx)
	if err != nil || cfg.Revision != 0 {
		return err
	}
	_, err = d.store.UpdateConfig(ctx, 0, time.Now(), func(c fleet.Config) (fleet.Config, error) {
		c.DesiredAgents = d.env.InitialAgents
		return c, nil
	})
	return err
}

// setDemo points the demo target, made at the first --demo, at where the demo site is now. Without one it is disabled,
// since anybody may get that port next.
func (d *deployment) setDemo(ctx context.Context, url string) error {
	targets, err := d.service.Targets(ctx)
	if err != nil {
		return err
	}
	for _, t := range targets {
		if isDemo(t.URL) {
			_, err := d.service.UpdateTarget(ctx, t.ID, 0, func(t fleet.Target) (fleet.Target, error) {
				t.Enabled = url != ""
				t.URL = cmp.Or(url, t.URL)
				return t, nil
			})
			return err
		}
	}
	if url == "" {
		return nil
	}
	t := fleet.NewTarget()
	t.URL, t.Label, t.VUs, t.DurationS, t.RunIntervalMs = url, "Demo", 2, 10, 20_000
	_, err = d.service.CreateTarget(ctx, t)
	return err
}

// run works until ctx is done or a part fails.
func (d *deployment) run(ctx context.Context, l net.Listener) error {
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var server, workers sync.WaitGroup
	var failed [2]error
	server.Go(func() { defer cancel(); failed[0] = d.server.Serve(serving, l) })
	server.Go(func() { defer cancel(); failed[1] = d.server.Run(serving) })
	workers.Go(func() { d.reaper.Run(ctx) })
	if d.scaler != nil {
		workers.Go(func() { d.scaler.Run(ctx) })
		workers.Go(func() { d.runners.Probe(ctx, d.log) })
	}
	<-ctx.Done()
	d.log.Info("stopping")
	workers.Wait()
	err := d.endAgents()
	stopServing()
	server.Wait()
	return errors.Join(err, failed[0], failed[1])
}

func (d *deployment) endAgents() error {
	if d.agents == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), agentsEnd)
	defer cancel()
	if err := d.agents.Close(ctx); err != nil {
		return err
	}
	d.engine.Close()
	return nil
}

package dashboard_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/dashboard"
	"github.com/nollagluiz/broadside/fleet"
)

// The guide's curl line, byte for byte but for the URL.
func TestGuideAddsATarget(t *testing.T) {
	f := newFixture(t)
	const body = `{"url":"https://example.org/","label":"Example","vus":10,"durationS":30,"runIntervalMs":60000}`
	r := f.call("POST", pathTargets, body, asAdmin).wants(http.StatusCreated)
	got := read[fleet.Target](r)
	want := fleet.NewTarget()
	want.URL, want.Label, want.VUs = "https://example.org/", "Example", 10
	want.ID, want.Revision, want.CreatedAt, want.UpdatedAt = got.ID, 1, fleet.Millis(f.clock.now()), fleet.Millis(f.clock.now())
	if diff := cmp.Diff(want, got); diff != "" || got.ID == "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if location := r.header.Get("Location"); location != pathTargets+"/"+got.ID || r.header.Get("ETag") != `"1"` {
		t.Errorf("Location %q, ETag %q", location, r.header.Get("ETag"))
	}
	for _, path := range []string{pathTargets + "/" + got.ID, pathList + "/" + got.ID} {
		one := f.call("GET", path, nil, asAdmin)
		if diff := cmp.Diff(want, read[fleet.Target](one)); diff != "" || one.header.Get("ETag") != `"1"` {
			t.Errorf("GET %s: ETag %s (-want +got)\n%s", path, one.header.Get("ETag"), diff)
		}
	}
	items := read[list[fleet.Target]](f.call("GET", pathList, nil))
	if diff := cmp.Diff([]fleet.Target{want}, items.Items); diff != "" || items.NextCursor != nil {
		t.Errorf("list (-want +got)\n%s", diff)
	}
	if polled := f.poll("", 0); len(polled.Targets) != 1 || polled.Targets[0].ID != got.ID {
		t.Errorf("poll %+v; want the target", polled)
	}
}

func TestPatchIsAMergePatch(t *testing.T) {
	f := newFixture(t)
	const created = `{"url":"https://example.org/","label":"a","vus":5,"method":"POST","headers":{"X-A":"1","X-B":"2"},"body":"text","secretHeaders":["X-A"]}`
	for _, c := range []struct {
		name, patch string
		want        func(*fleet.Target)
	}{
		{"one field", `{"enabled":false}`, func(t *fleet.Target) { t.Enabled = false }},
		{"nothing", `{}`, func(*fleet.Target) {}},
		{"null is the default", `{"vus":null,"label":null,"method":null,"body":null,"enabled":null}`, func(t *fleet.Target) { t.VUs, t.Label, t.Method, t.Body = 1, "", "GET", "" }},
		{"headers are merged", `{"headers":{"X-C":"3"}}`, func(t *fleet.Target) { t.Headers["X-C"] = "3" }},
		{"a header is taken away", `{"headers":{"X-B":null,"X-Z":null}}`, func(t *fleet.Target) { delete(t.Headers, "X-B") }},
		{"all headers are", `{"headers":null,"secretHeaders":null}`, func(t *fleet.Target) { t.Headers, t.SecretHeaders = map[string]string{}, []string{} }},
		{"a list is replaced", `{"secretHeaders":["X-A","X-B"]}`, func(t *fleet.Target) { t.SecretHeaders = []string{"X-A", "X-B"} }},
		{"a secret stays", `{"headers":{"X-A":"***"},"body":"***","label":"b"}`, func(t *fleet.Target) { t.Label = "b" }},
		{"the last of two keys counts", `{"vus":2,"vus":3}`, func(t *fleet.Target) { t.VUs = 3 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			id := f.addTarget(created).ID
			want, err := f.store.Target(f.Context(), id)
			f.must(err)
			f.clock.add(time.Minute)
			r := f.call("PATCH", pathTargets+"/"+id, c.patch, asAdmin, header("Content-Type", "application/merge-patch+json")).wants(http.StatusOK)
			c.want(&want)
			want.Revision, want.UpdatedAt = 2, fleet.Millis(f.clock.now())
			stored, err := f.store.Target(f.Context(), id)
			f.must(err)
			if diff := cmp.Diff(want, stored); diff != "" {
				t.Errorf("stored (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(want.Redacted(), read[fleet.Target](r)); diff != "" || r.header.Get("ETag") != `"2"` {
				t.Errorf("answered ETag %s (-want +got)\n%s", r.header.Get("ETag"), diff)
			}
		})
	}
}

// What was read can be sent back, and changes nothing.
func TestReadCanBeSentBack(t *testing.T) {
	f := newFixture(t)
	id := f.addTarget(`{"url":"https://u:p@example.org/a?token=t&x=1","headers":{"Authorization":"Bearer s","X-Y":"z"},"body":"b"}`).ID
	before, err := f.store.Target(f.Context(), id)
	f.must(err)
	shown := f.call("GET", pathList+"/"+id, nil).wants(http.StatusOK)
	f.call("PATCH", pathTargets+"/"+id, shown.body, asAdmin, header("If-Match", shown.header.Get("ETag"))).wants(http.StatusOK)
	after, err := f.store.Target(f.Context(), id)
	f.must(err)
	before.Revision = 2
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("(-before +after)\n%s", diff)
	}
}

func TestIfMatch(t *testing.T) {
	f := newFixture(t)
	path := pathTargets + "/" + f.addTarget(`{"url":"https://example.org/"}`).ID
	for _, tag := range []string{`"2"`, `"0"`, `"01"`, `W/"1"`, `1`, `"x"`, `"1", "2"`, `""`, `"-1"`, `"99999999999999999999"`, "`1`"} {
		for _, method := range []string{"PATCH", "DELETE"} {
			f.call(method, path, `{"vus":9}`, asAdmin, header("If-Match", tag)).wantsProblem(http.StatusPreconditionFailed, fleet.PreconditionFailed)
		}
	}
	r := f.call("PATCH", path, `{"vus":2}`, asAdmin, header("If-Match", `"1"`)).wants(http.StatusOK)
	f.call("PATCH", path, `{"vus":3}`, asAdmin, header("If-Match", `"1"`)).wantsProblem(http.StatusPreconditionFailed, fleet.PreconditionFailed)
	f.call("PATCH", path, `{"vus":4}`, asAdmin, header("If-Match", `*`)).wants(http.StatusOK)
	if got := f.call("GET", path, nil, asAdmin).header.Get("ETag"); r.header.Get("ETag") != `"2"` || got != `"3"` {
		t.Errorf("ETags %s and %s", r.header.Get("ETag"), got)
	}
	f.call("DELETE", path, nil, asAdmin, header("If-Match", `"2"`)).wantsProblem(http.StatusPreconditionFailed, fleet.PreconditionFailed)
	f.call("DELETE", path, nil, asAdmin, header("If-Match", `"3"`)).wants(http.StatusNoContent)

	tag := f.call("PUT", pathConfig, `{"k6DesiredAgentCount":1}`, asAdmin).wants(http.StatusOK).header.Get("ETag")
	f.call("PUT", pathConfig, `{"k6DesiredAgentCount":2}`, asAdmin, header("If-Match", tag)).wants(http.StatusOK)
	f.call("PUT", pathConfig, `{"k6DesiredAgentCount":3}`, asAdmin, header("If-Match", tag)).wantsProblem(http.StatusPreconditionFailed, fleet.PreconditionFailed)
	f.call("PUT", pathConfig, `{"k6DesiredAgentCount":3}`, asAdmin, header("If-Match", `"nonsense"`)).wantsProblem(http.StatusPreconditionFailed, fleet.PreconditionFailed)
}

func TestDeleteTarget(t *testing.T) {
	f := newFixture(t)
	target := f.addTarget(`{"url":"https://example.org/","label":"gone"}`)
	f.call("POST", pathResults, startOf(f, 1, target.ID, "a"), asAgent).wants(http.StatusCreated)
	r := f.call("DELETE", pathTargets+"/"+target.ID, nil, asAdmin).wants(http.StatusNoContent)
	if len(r.body) != 0 {
		t.Errorf("204 with %q", r.body)
	}
	for _, method := range []string{"GET", "PATCH", "DELETE"} {
		f.call(method, pathTargets+"/"+target.ID, `{}`, asAdmin).wantsProblem(http.StatusNotFound, fleet.NotFound)
	}
	f.call("GET", pathList+"/"+target.ID, nil).wantsProblem(http.StatusNotFound, fleet.NotFound)
	f.call("POST", pathTargets+"/"+target.ID+"/run", nil, asAdmin).wantsProblem(http.StatusNotFound, fleet.NotFound)
	if polled := f.poll("a", 0); len(polled.Targets) != 0 {
		t.Errorf("poll %+v; want no target", polled)
	}
	// Its runs are kept, and its results are taken (field report 55).
	f.call("PUT", pathResults+"/"+runID(1), endOf(startOf(f, 1, target.ID, "a")), asAgent).wants(http.StatusOK)
	f.call("PUT", pathResults+"/"+runID(2), endOf(startOf(f, 2, "never-was", "a")), asAgent).wants(http.StatusOK)
	if runs := read[list[fleet.Run]](f.call("GET", pathRuns, nil)); len(runs.Items) != 2 {
		t.Errorf("%d runs; want 2", len(runs.Items))
	}
}

// secrets are where a target may hold them; none may be seen by anybody but an agent.
var secrets = []string{"S3CRET-user", "S3CRET-pass", "S3CRET-query", "S3CRET-header", "S3CRET-named", "S3CRET-body"}

const secretTarget = `{"url":"https://S3CRET-user:S3CRET-pass@example.org/?api_key=S3CRET-query&page=2","headers":{"Authorization":"Bearer S3CRET-header","X-Mine":"S3CRET-named"},` +
	`"secretHeaders":["X-Mine"],"body":"S3CRET-body"}`

// Field report 22: whatever holds a secret is shown as ***, in every answer but an agent's poll, also when an agent sends
// it with a run, and none is logged.
func TestSecretsAreNeverShown(t *testing.T) {
	f := newFixture(t)
	hidden := func(r reply) reply {
		t.Helper()
		for _, secret := range secrets {
			if text := fmt.Sprint(r.header) + string(r.body); strings.Contains(text, secret) {
				t.Errorf("%s shows %s: %s", r.what, secret, text)
			}
		}
		return r
	}
	created := hidden(f.call("POST", pathTargets, secretTarget, asAdmin).wants(http.StatusCreated))
	id := read[fleet.Target](created).ID
	f.contains(string(created.body), `"https://***@example.org/?api_key=***&page=2"`)

	start := startOf(f, 1, id, "a")
	f.must(json.Unmarshal([]byte(secretTarget), &start.Spec)) // an agent that hides nothing
	f.register("a", "i")
	hidden(f.call("POST", pathResults, start, asAgent).wants(http.StatusCreated))
	hidden(f.call("PUT", pathResults+"/"+runID(1), endOf(start), asAgent).wants(http.StatusOK))
	hidden(f.call("PATCH", pathTargets+"/"+id, `{"vus":2}`, asAdmin).wants(http.StatusOK))
	hidden(f.call("PATCH", pathTargets+"/"+id, `{"vus":"S3CRET-body"}`, asAdmin).wants(http.StatusUnprocessableEntity))
	hidden(f.call("POST", pathTargets, strings.Replace(secretTarget, "https:", "gopher:", 1), asAdmin).wants(http.StatusUnprocessableEntity))
	hidden(f.call("POST", pathTargets, strings.Replace(secretTarget, "Bearer S3CRET-header", `S3CRET-header\n`, 1), asAdmin).wants(http.StatusUnprocessableEntity))
	for _, r := range allRoutes {
		if r.method == "GET" && r.path != pathPoll {
			path := strings.ReplaceAll(r.path, "{id}", id)
			if strings.Contains(r.path, "/runs/{id}") {
				path = strings.ReplaceAll(r.path, "{id}", runID(1))
			}
			hidden(f.call("GET", path, nil, asAdmin))
		}
	}
	polled := f.call("GET", pathPoll, nil, asAgent).wants(http.StatusOK)
	for _, secret := range secrets {
		f.contains(string(polled.body), secret)
	}
	if got := polled.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("the poll says Cache-Control %q", got)
	}
	for _, secret := range append(secrets, adminPassword, agentSecret) {
		if strings.Contains(f.log.String(), secret) {
			t.Errorf("the log shows %s", secret)
		}
	}
	f.contains(f.log.String(), `path=/api/admin/k6/targets`)
}

// Field report 55: a run keeps the target as it was, whatever becomes of it.
func TestARunKeepsItsSpec(t *testing.T) {
	f := newFixture(t)
	target := f.addTarget(`{"url":"https://example.org/","label":"before","vus":7}`)
	start := startOf(f, 1, target.ID, "a")
	start.Spec = target
	f.call("POST", pathResults, start, asAgent).wants(http.StatusCreated)
	f.call("PATCH", pathTargets+"/"+target.ID, `{"label":"after","vus":1}`, asAdmin).wants(http.StatusOK)
	f.call("PUT", pathResults+"/"+runID(1), endOf(start), asAgent).wants(http.StatusOK)
	run := read[fleet.RunDetail](f.call("GET", pathRuns+"/"+runID(1), nil))
	if run.Spec.VUs != 7 || run.Spec.Label != "before" || run.TargetLabel != "before" || run.Spec.Revision != 1 {
		t.Errorf("run %+v; want the target of revision 1", run.Run)
	}
}

func TestListPages(t *testing.T) {
	f := newFixture(t)
	var want []string // newest first
	for i := range 7 {
		f.clock.add(time.Millisecond)
		want = append(want, f.addTarget(fmt.Sprintf(`{"url":"https://example.org/%d"}`, i)).ID)
	}
	slices.Reverse(want)
	var got []string
	cursor := ""
	for {
		page := read[list[fleet.Target]](f.call("GET", pathList+"?limit=3&cursor="+cursor, nil))
		for _, target := range page.Items {
			got = append(got, target.ID)
		}
		if page.NextCursor == nil {
			break
		}
		cursor = *page.NextCursor
		if len(got) == 3 { // the page's last one goes, and the next page is the same
			f.call("DELETE", pathTargets+"/"+got[2], nil, asAdmin).wants(http.StatusNoContent)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("pages %v; want %v", got, want)
	}
	for query, location := range map[string]string{
		"limit=0": "query.limit", "limit=501": "query.limit", "limit=x": "query.limit", "limit=-1": "query.limit", "limit=1.5": "query.limit",
		"cursor=" + strings.Repeat("x", 501): "query.cursor",
	} {
		for _, path := range []string{pathList, pathAgents, pathRuns} {
			if p := f.call("GET", path+"?"+query, nil).wantsProblem(http.StatusUnprocessableEntity, fleet.ValidationFailed); !p.at(location) {
				t.Errorf("%s?%s: %+v; want %s", path, query, p, location)
			}
		}
	}
	f.call("GET", pathList+"?cursor=!", nil).wantsProblem(http.StatusBadRequest, fleet.Malformed)
	f.call("GET", pathAgents+"?cursor=!", nil).wantsProblem(http.StatusBadRequest, fleet.Malformed)
	f.call("GET", pathRuns+"?cursor=!", nil).wantsProblem(http.StatusBadRequest, fleet.Malformed)
	f.call("GET", pathList+"?limit=500&unknown=1", nil).wants(http.StatusOK)
}

// Edits at the same time: with If-Match each wins once; without, the last one stands, in memory as in the store.
func TestConcurrentEdits(t *testing.T) {
	f := newFixture(t)
	id := f.addTarget(`{"url":"https://example.org/"}`).ID
	tag := `"1"`
	var wg sync.WaitGroup
	var mu sync.Mutex // guards won
	won := 0
	for i := range 16 {
		wg.Go(func() {
			r := f.call("PATCH", pathTargets+"/"+id, fmt.Sprintf(`{"vus":%d}`, i+1), asAdmin, header("If-Match", tag))
			mu.Lock()
			defer mu.Unlock()
			switch r.status {
			case http.StatusOK:
				won++
			case http.StatusPreconditionFailed:
			default:
				t.Errorf("%d %s", r.status, r.body)
			}
		})
		wg.Go(func() { f.poll("a", 0) })
		wg.Go(func() { f.call("GET", pathList, nil).wants(http.StatusOK) })
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d edits of revision 1 won; want 1", won)
	}
	for i := range 16 {
		wg.Go(func() {
			f.call("PATCH", pathTargets+"/"+id, fmt.Sprintf(`{"vus":%d}`, i+1), asAdmin).wants(http.StatusOK)
		})
		wg.Go(func() {
			f.call("PUT", pathConfig, fmt.Sprintf(`{"k6DesiredAgentCount":%d}`, i), asAdmin).wants(http.StatusOK)
		})
	}
	wg.Wait()
	stored, err := f.store.Target(f.Context(), id)
	f.must(err)
	if shown := read[fleet.Target](f.call("GET", pathList+"/"+id, nil)); shown.Revision != 18 || cmp.Diff(stored, shown) != "" {
		t.Errorf("shown %+v; stored %+v; want revision 18 of both", shown, stored)
	}
	config, err := f.store.Config(f.Context())
	f.must(err)
	if shown := read[fleet.Config](f.call("GET", pathConfig, nil, asAdmin)); shown.Revision != 16 || shown.DesiredAgents != config.DesiredAgents {
		t.Errorf("shown %+v; stored %+v; want revision 16 of both", shown, config)
	}
}

// lateStore holds the answer to the first edit back.
type lateStore struct {
	dashboard.Store
	edits     atomic.Int32
	committed chan struct{} // closed when the first edit is
	next      chan struct{} // closed to answer it
}

func (s *lateStore) UpdateTarget(ctx context.Context, id string, revision int64, now time.Time, edit func(fleet.Target) (fleet.Target, error)) (fleet.Target, error) {
	t, err := s.Store.UpdateTarget(ctx, id, revision, now, edit)
	if s.edits.Add(1) == 1 {
		close(s.committed)
		<-s.next
	}
	return t, err
}

// One change waits for the one before, so that the memory changes in the order of the store.
func TestChangesOfTargetsTakeTurns(t *testing.T) {
	late := &lateStore{committed: make(chan struct{}), next: make(chan struct{})}
	f := newFixture(t, func(s dashboard.Store) dashboard.Store { late.Store = s; return late })
	id := f.addTarget(`{"url":"https://example.org/"}`).ID
	setVUs := func(vus int) func(fleet.Target) (fleet.Target, error) {
		return func(t fleet.Target) (fleet.Target, error) { t.VUs = vus; return t, nil }
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := f.service.UpdateTarget(t.Context(), id, 0, setVUs(2)); err != nil {
			t.Error(err)
		}
	})
	<-late.committed
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	other := fleet.NewTarget()
	other.URL = "https://other.example/"
	_, created := f.service.CreateTarget(ctx, other)
	_, edited := f.service.UpdateTarget(ctx, id, 0, setVUs(3))
	for what, err := range map[string]error{"create": created, "edit": edited, "delete": f.service.DeleteTarget(ctx, id, 0)} {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a %s beside an edit: %v; want it to wait", what, err)
		}
	}
	close(late.next)
	wg.Wait()
	if _, err := f.service.UpdateTarget(t.Context(), id, 0, setVUs(4)); err != nil {
		t.Error(err)
	}
	if got := read[list[fleet.Target]](f.call("GET", pathList, nil)).Items; len(got) != 1 || got[0].VUs != 4 || got[0].Revision != 3 {
		t.Errorf("%+v; want the one target, after its two edits", got)
	}
}

func TestConfig(t *testing.T) {
	f := newFixture(t)
	if r := f.call("GET", pathConfig, nil, asAdmin); read[fleet.Config](r).DesiredAgents != 0 || r.header.Get("ETag") != "" {
		t.Errorf("a new fleet's configuration is %s, %s", r.body, r.header.Get("ETag"))
	}
	got := read[fleet.Config](f.call("PUT", pathConfig, `{"k6DesiredAgentCount":20}`, asAdmin))
	want := fleet.Config{DesiredAgents: 20, Revision: 1, UpdatedAt: fleet.Millis(f.clock.now())}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if f.scaler.wakes != 1 {
		t.Errorf("the scaler was told %d times; want once", f.scaler.wakes)
	}
	for _, body := range []string{`{}`, `{"stopped":false}`} { // what is left out keeps its value
		if got := read[fleet.Config](f.call("PUT", pathConfig, body, asAdmin)); got.DesiredAgents != 20 || got.Stopped {
			t.Errorf("PUT %s: %+v; want 20 agents", body, got)
		}
	}
	whole := f.call("GET", pathConfig, nil, asAdmin)
	f.call("PUT", pathConfig, whole.body, asAdmin).wants(http.StatusOK) // and what was read can be sent back
	for n, status := range map[int]int{0: 200, 1000: 200, 1001: 422, -1: 422} {
		f.call("PUT", pathConfig, map[string]int{"k6DesiredAgentCount": n}, asAdmin).wants(status)
	}
}

func TestReconcile(t *testing.T) {
	f := newFixture(t)
	f.call("POST", "/api/admin/k6/reconcile", nil, asAdmin).wants(http.StatusAccepted)
	f.scaler.err = fmt.Errorf("the engine of %s is out", "scaling")
	f.call("POST", "/api/admin/k6/reconcile", nil, asAdmin).wantsProblem(http.StatusInternalServerError, "internal")
	if o := f.overview(); f.scaler.rounds != 2 || o.ActualAgents != 2 || o.ScalerError != "the engine of scaling is out" {
		t.Errorf("%d rounds, overview %+v", f.scaler.rounds, o)
	}
	// Without a scaler there is nothing to reconcile, and the number of agents is that of those online.
	alone, err := dashboard.NewService(t.Context(), dashboard.ServiceConfig{Store: f.store, Now: f.clock.now})
	f.must(err)
	if err := alone.Reconcile(t.Context()); fleet.CodeOf(err) != fleet.Conflict {
		t.Errorf("reconcile without a scaler: %v; want a conflict", err)
	}
}

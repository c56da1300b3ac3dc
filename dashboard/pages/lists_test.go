package pages_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

// cells is the table's body as text, row by row.
func (a answer) cells(t *testing.T) [][]string {
	t.Helper()
	bodies := all(a.doc, tag("tbody"))
	if len(bodies) != 1 {
		t.Fatalf("%d tables", len(bodies))
	}
	var out [][]string
	for _, tr := range all(bodies[0], tag("tr")) {
		var row []string
		for _, cell := range all(tr, tag("td", "th")) {
			row = append(row, strings.ReplaceAll(words(cell), "\u00a0", " "))
		}
		out = append(out, row)
	}
	return out
}

func TestFleetPage(t *testing.T) {
	a := newBrowser(t, demoFleet()).get("/agents/k6").want(t, http.StatusOK)
	tiles := map[string]string{}
	for _, n := range all(a.doc, func(n *html.Node) bool {
		return strings.Contains(attr(n, "class"), "tile ") || attr(n, "class") == "card tile"
	}) {
		tiles[words(all(n, tag("dt"))[0])] = strings.ReplaceAll(words(all(n, tag("dd"))[0]), "\u00a0", " ")
	}
	for name, want := range map[string]string{
		"Online": "4", "Offline": "1", "Running now": "1 2 of 3 sites enabled", "Desired → actual": "5 → , actual 4 converging",
		"Requests": "2,912,447 3,236 / s · 15 min", "p95": "84.3 ms merged over 118 runs, 15 min", "Failed": "0.21 % 6,112 of 2,912,447",
	} {
		if tiles[name] != want {
			t.Errorf("tile %s: %q; want %q", name, tiles[name], want)
		}
	}
	want := [][]string{
		{"k6agent-0", "● online", "Example · home run 0193abcd", "10", "0.1.0 k6 of unknown version", "9.1 MB", "3.10 %", "0", "0", "1 s ago"},
		{"k6agent-1", "● online", "idle", "–", "0.1.0 k6 2.2.0", "9.2 MB", "3.10 %", "0", "0", "2 s ago"},
		{"k6agent-2", "◐ stale", "idle", "–", "0.1.0", "9.4 MB", "3.10 %", "0", "0", "1 min ago"}, // field report 51
		{"k6agent-3", "○ offline", "–", "–", "0.1.0", "– no data", "– no data", "0", "0", "6 min ago"},
		{"k6agent-4", "● online", "idle", "–", "0.1.0 ! k6 can't be used: /opt/k6: permission denied", "9.6 MB", "3.10 %", "6", "12 ! 3 lost", "5 s ago"},
	}
	for i, row := range a.cells(t) {
		if got := strings.Join(row, "|"); got != strings.Join(want[i], "|") {
			t.Errorf("row %d: %s; want %s", i, got, strings.Join(want[i], "|"))
		}
	}
	if rows := newBrowser(t, demoFleet()).get("/agents/k6?status=offline").cells(t); len(rows) != 1 || rows[0][0] != "k6agent-3" {
		t.Errorf("offline agents: %v", rows)
	}
}

// Field reports 48 and 31.
func TestStoppedFleet(t *testing.T) {
	f := demoFleet()
	f.overview.Stopped, f.config.Stopped, f.overview.NotYetStopped = true, true, 3
	f.overview.ScalerError = "docker: no such host"
	b := newBrowser(t, f)
	page := words(b.get("/agents/k6").doc)
	for _, part := range []string{"The fleet is stopped", "3 agents are not yet stopped", "Resume", "docker: no such host"} {
		if !strings.Contains(page, part) {
			t.Errorf("the page doesn't say %q", part)
		}
	}
	if page := words(b.get("/agents/k6/runs").doc); !strings.Contains(page, "Stopped") || strings.Contains(page, "Stop all") {
		t.Error("another page doesn't show that the fleet is stopped")
	}
	if page := words(b.get("/agents/k6/stop").doc); !strings.Contains(page, "stopped already") {
		t.Error("a stopped fleet can be stopped")
	}
	f.overview.NotYetStopped = 0
	if page := words(b.get("/agents/k6").doc); !strings.Contains(page, "Every agent online has stopped") {
		t.Error("the page doesn't say when all have stopped")
	}
}

func TestEmptyStatesSayTheNextStep(t *testing.T) {
	b := newBrowser(t, &fakeFleet{})
	for path, parts := range map[string][]string{
		"/agents/k6":       {"No agents yet", "Set a desired count above", "no data"},
		"/agents/k6/sites": {"No sites yet", "Add a URL above", "no agent is online yet"},
		"/agents/k6/runs":  {"No runs yet", "Add one under Sites"},
	} {
		page := b.get(path).want(t, http.StatusOK)
		for _, part := range parts {
			if !strings.Contains(words(page.doc), part) {
				t.Errorf("%s doesn't say %q", path, part)
			}
		}
	}
	if _, open := lookup(all(b.get("/agents/k6/sites").doc, func(n *html.Node) bool { return attr(n, "class") == "add" })[0], "open"); !open {
		t.Error("the form to add the first site is folded")
	}
	filtered := words(b.get("/agents/k6/runs?verdict=lost").doc)
	if !strings.Contains(filtered, "No run fits these filters") || !strings.Contains(filtered, "Clear filters") {
		t.Error("an empty filter looks like an empty fleet")
	}
}

func TestSitesPage(t *testing.T) {
	f := demoFleet()
	rows := newBrowser(t, f).get("/agents/k6/sites").cells(t)
	if len(rows) != 3 {
		t.Fatalf("%d rows", len(rows))
	}
	for i, want := range []string{
		"Example · home https://example.org/|● enabled|10 40 in all|30 s|1 min|✓ ok now|",
		"Example · search https://***@example.org/search?q=ação&token=*** k6 options constant-arrival-rate 1,400 / s|○ disabled|25 100 in all|30 s|1 min|✓ ok 40 s ago|",
		"https://api.example.net:8443/v2/items k6 script|● enabled|1 4 in all|1 min 30 s|5 min|✓ ok k6 1 min ago|",
	} {
		if got := strings.Join(rows[i][:6], "|") + "|"; got != want {
			t.Errorf("row %d: %s; want %s", i, got, want)
		}
	}
	f.targets[0].Options = json.RawMessage(`{"stages":[{"duration":"90s","target":5000},{"duration":"30s","target":0}]}`)
	for i := range f.agents {
		f.agents[i].MaxVUs = 1500
	}
	const want = "Example · home https://example.org/ k6 options ramping-vus 1→5,000→0|● enabled ! no agent online takes so many virtual users: at most 1,500|5,000 20,000 in all|2 min|"
	if got := strings.Join(newBrowser(t, f).get("/agents/k6/sites").cells(t)[0][:4], "|") + "|"; got != want {
		t.Errorf("with options: %s; want %s", got, want)
	}
	// The rate over the last runs is of all their requests together, not an average of rates.
	var requests, failures int64
	for _, r := range f.runs {
		if r.TargetID == "1" && r.Metrics != nil {
			requests, failures = requests+r.Metrics.Requests, failures+r.Metrics.Failures
		}
	}
	if want := fmt.Sprintf("%.2f %%", 100*float64(failures)/float64(requests)); rows[0][8] != want {
		t.Errorf("fail rate %q; want %q", rows[0][8], want)
	}
}

// Options that say how the load goes are tagged where the target is, in words; others are not.
func TestSitesWithOptions(t *testing.T) {
	for _, c := range []struct {
		name, options string
		tagged        bool
	}{
		{"nothing at all", ``, false},
		{"none", `{}`, false},
		{"null", `null`, false},
		{"damaged", `{"stages":`, false},
		{"thresholds", `{"thresholds":{"http_reqs":["count>1"]}}`, false},
		{"no stages", `{"stages":null}`, false},
		{"scenarios", `{"scenarios":{"a":{"executor":"constant-vus","vus":2,"duration":"3s"}}}`, true},
		{"stages", `{"stages":[{"duration":"3s","target":5}]}`, true},
		{"iterations", `{"vus":2,"iterations":9}`, true},
		{"keys as well", `{"iterations":9,"tlsAuth":"***"}`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fakeFleet{targets: demoTargets()[:1]}
			f.targets[0].Options = json.RawMessage(c.options)
			for lang, words := range map[string]string{"en": "k6 options", "pt-BR": "opções do k6"} {
				row := newBrowser(t, f).speaks(lang).get("/agents/k6/sites").want(t, http.StatusOK).cells(t)[0]
				if strings.Contains(row[0], words) != c.tagged {
					t.Errorf("%s: %q; tagged should be %t", lang, row[0], c.tagged)
				}
			}
		})
	}
}

func TestRunsPage(t *testing.T) {
	b := newBrowser(t, demoFleet())
	rows := b.get("/agents/k6/runs").cells(t)
	if len(rows) != 50 {
		t.Fatalf("%d rows; want the default of 50", len(rows))
	}
	if got := strings.Join(rows[0], "|"); !strings.HasPrefix(got, "12 s ago|Example · home|k6agent-") || !strings.HasSuffix(got, strings.Repeat("|– no data", 7)) {
		t.Errorf("a run under way: %s", got)
	}
	marked := 0
	for _, row := range rows {
		if strings.HasPrefix(row[8], "! ") && strings.HasSuffix(row[8], " high") {
			marked++
		}
		if row[3] == "⊘ target unreachable" && (row[5] != "– no data" || row[8] != "! 100 % high") { // field reports 19 and 31: dead is not fast
			t.Errorf("an unreachable target: %v", row)
		}
	}
	if marked < 5 {
		t.Errorf("%d rates above 5 %% are marked", marked)
	}
}

func TestRunsKeysetPages(t *testing.T) {
	b := newBrowser(t, demoFleet())
	seen, path := map[string]bool{}, "/agents/k6/runs?limit=25&status=done"
	for pages := 0; path != ""; pages++ {
		a := b.get(path).want(t, http.StatusOK)
		path = ""
		for _, n := range all(a.doc, tag("a")) {
			href := attr(n, "href")
			if id, ok := strings.CutPrefix(href, "/agents/k6/runs/"); ok {
				seen[id] = true
			}
			if attr(n, "rel") == "next" {
				path = href
			}
			if words(n) == "Newest" && (pages == 0 || href != "/agents/k6/runs?limit=25&status=done") {
				t.Errorf("page %d leads to the newest at %s", pages, href)
			}
		}
		if pages > 5 {
			t.Fatal("the pages don't end")
		}
	}
	want := 0
	for _, r := range demoFleet().runs {
		if r.Status == fleet.RunDone {
			want++
		}
	}
	if len(seen) != want {
		t.Errorf("%d of %d runs are on the pages", len(seen), want)
	}
}

func TestRunsFilters(t *testing.T) {
	b := newBrowser(t, demoFleet())
	for path, fits := range map[string]func(row []string) bool{
		"/agents/k6/runs?status=running":                          func(row []string) bool { return row[3] == "▶ running" },
		"/agents/k6/runs?verdict=lost":                            func(row []string) bool { return row[3] == "? lost" },
		"/agents/k6/runs?target=2":                                func(row []string) bool { return row[1] == "Example · search" },
		"/agents/k6/runs?agent=id-k6agent-2":                      func(row []string) bool { return row[2] == "k6agent-2" },
		"/agents/k6/runs?target=2&verdict=ok&status=done&limit=2": func(row []string) bool { return row[1] == "Example · search" && row[3] == "✓ ok" },
	} {
		a := b.get(path)
		rows := a.cells(t)
		if len(rows) == 0 || strings.Contains(path, "limit=2") && len(rows) != 2 {
			t.Errorf("%s shows %d rows", path, len(rows))
		}
		for _, row := range rows {
			if !fits(row) {
				t.Errorf("%s shows %v", path, row)
			}
		}
		// The form holds what the list shows, so that another choice narrows it further.
		form := a.form(t, "/agents/k6/runs")
		for name, values := range form {
			if values[0] != "" && !strings.Contains(path, name+"="+values[0]) {
				t.Errorf("%s: the form has %s=%s", path, name, values[0])
			}
		}
	}
	if page := words(b.get("/agents/k6/runs?target=gone").doc); !strings.Contains(page, "deleted site gone") {
		t.Error("runs of a deleted target can't be told")
	}
}

// hostile are names as an attacker, or a user, may write them.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, "\u202eevil\u202c שלום", strings.Repeat("W", 200), "🎯🔥 ação",
	`{{.Version}}`, `javascript:alert(1)`, `</title></textarea><svg/onload=alert(1)>`, `&lt;b&gt;`,
}

func TestHostileWords(t *testing.T) {
	for _, name := range hostile {
		f := demoFleet()
		for i := range f.targets {
			f.targets[i].Label = name
		}
		for i := range f.agents {
			f.agents[i].Name, f.agents[i].Version, f.agents[i].State, f.agents[i].ID = name, name, fleet.AgentState(name), name
			f.agents[i].K6 = []*fleet.K6{{Path: name, Version: name}, {Path: name, Error: name}}[i%2]
		}
		for i := range f.runs {
			r := &f.runs[i]
			r.TargetLabel, r.Agent, r.Message, r.Spec.Label, r.Spec.URL = name, name, name, name, "javascript:"+name
			r.Statuses = map[string]int64{name: 3}
			r.Engine = []string{name, fleet.EngineK6}[i%2]
			r.Errors = []fleet.ErrorCount{{Code: 1000, Count: 1, Sample: name}}
			if i%7 == 3 {
				r.Verdict, r.Status = summary.Verdict(name), fleet.RunStatus(name)
			}
		}
		f.overview.ScalerError = name
		b := newBrowser(t, f)
		for _, path := range []string{"/agents/k6", "/agents/k6/sites", "/agents/k6/sites/1", "/agents/k6/sites/1/delete", "/agents/k6/runs", "/agents/k6/runs/0193-run-06", "/agents/k6/runs/0193-run-02"} {
			a := b.get(path).want(t, http.StatusOK)
			for _, fault := range faults(a, "en") {
				t.Errorf("%q on %s: %s", name, path, fault)
			}
			if !strings.Contains(words(a.doc), strings.Join(strings.Fields(name), " ")) {
				t.Errorf("%q is not shown as it is on %s", name, path)
			}
		}
	}
}

// Field reports 46 and 54: a fleet of a thousand agents and two thousand targets still makes pages that load.
func TestLargeFleet(t *testing.T) {
	f := demoFleet()
	f.agents = nil
	for i := range 1000 {
		a := demoAgent(i % 60)
		a.Name, a.ID, a.CurrentRunIDs = fmt.Sprintf("k6agent-%d", i), fmt.Sprint(i), []string{fmt.Sprintf("run-%d", i)}
		f.agents = append(f.agents, a)
	}
	running := make([]fleet.RunDetail, 1000)
	for i := range running {
		running[i].Run = fleet.Run{ID: fmt.Sprintf("run-%d", i), TargetLabel: "busy", Status: fleet.RunRunning, StartedAt: fleet.Millis(noon), Spec: fleet.Target{VUs: 3}}
	}
	f.runs = append(running, f.runs...)
	for i := range 2000 {
		target := fleet.NewTarget()
		target.ID, target.URL = fmt.Sprintf("t%d", i), fmt.Sprintf("https://example.org/%d", i)
		f.targets = append(f.targets, target)
	}
	b := newBrowser(t, f)
	for path, rows := range map[string]int{"/agents/k6": 100, "/agents/k6?page=10": 100, "/agents/k6/sites": 100, "/agents/k6/sites?page=21": 3, "/agents/k6/runs": 50, "/agents/k6/runs?limit=500": 500} {
		began := time.Now()
		a := b.get(path).want(t, http.StatusOK)
		t.Logf("%s: %d bytes in %v", path, len(a.text), time.Since(began))
		cells := a.cells(t)
		if len(cells) != rows {
			t.Errorf("%s shows %d rows; want %d", path, len(cells), rows)
		}
		if most := 3000*rows + 300_000; len(a.text) > most {
			t.Errorf("%s has %d bytes; want at most %d", path, len(a.text), most)
		}
		if strings.HasPrefix(path, "/agents/k6?") && (cells[99][0] != "k6agent-999" || cells[99][2] != "busy" || cells[99][3] != "3") {
			t.Errorf("the last agent is %v", cells[99])
		}
	}
}

package dashboard_test

// route is one that the dashboard has.
type route struct {
	method, path, needs string // needs: "", "admin", "agent"
	plain               bool   // not in OpenAPI
}

// allRoutes is every row of DESIGN section 4 that is built.
var allRoutes = []route{
	{"POST", "/api/k6/agents/register", "agent", false},
	{"POST", "/api/k6/agents/heartbeat", "agent", false},
	{"POST", "/api/k6/agents/deregister", "agent", false},
	{"GET", "/api/k6/targets", "agent", false},
	{"POST", "/api/k6/runs", "agent", false},
	{"PUT", "/api/k6/runs/{id}", "agent", false},
	{"POST", "/api/admin/k6/targets", "admin", false},
	{"GET", "/api/admin/k6/targets/{id}", "admin", false},
	{"PATCH", "/api/admin/k6/targets/{id}", "admin", false},
	{"DELETE", "/api/admin/k6/targets/{id}", "admin", false},
	{"POST", "/api/admin/k6/targets/{id}/run", "admin", false},
	{"POST", "/api/admin/k6/runs/{id}/abort", "admin", false},
	{"POST", "/api/admin/k6/stop", "admin", false},
	{"POST", "/api/admin/k6/reconcile", "admin", false},
	{"GET", "/api/admin/config", "admin", false},
	{"PUT", "/api/admin/config", "admin", false},
	{"GET", "/api/dashboard/k6/targets", "", false},
	{"GET", "/api/dashboard/k6/targets/{id}", "", false},
	{"GET", "/api/dashboard/k6/agents", "", false},
	{"GET", "/api/dashboard/k6/runs", "", false},
	{"GET", "/api/dashboard/k6/runs/{id}", "", false},
	{"GET", "/api/dashboard/k6/summary", "", false},
	{"GET", "/api/metrics", "", false},
	{"GET", "/api/openapi.json", "", false},
	{"GET", "/healthz", "", false},
	{"GET", "/readyz", "", false},
	{"GET", "/", "", true},
	{"GET", "/agents/k6", "", true},
	{"GET", "/agents/k6/sites", "", true},
	{"GET", "/agents/k6/runs", "", true},
	{"GET", "/agents/k6/static/style.css", "", true},
	{"POST", "/agents/k6/sites", "admin", true},
	{"POST", "/agents/k6/stop", "admin", true},
	{"DELETE", "/agents/k6/sites/1", "admin", true},
	{"GET", "/admin/login", "admin", true},
}

package pages

import "strconv"

// rowsPerPage bounds the tables that come whole from the dashboard: agents and targets.
const rowsPerPage = 100

// pager is one page of a list of known length.
type pager struct {
	From, To, Total int    // 1-based; From > To without rows
	Before, After   string // links, "" at the ends
}

// pager reads ?page=; what is no page of the list is the nearest one. The links end in fragment.
func (v *visit) pager(total int, fragment string) pager {
	last := max((total+rowsPerPage-1)/rowsPerPage, 1)
	page, _ := strconv.Atoi(v.query.Get("page"))
	page = min(max(page, 1), last)
	p := pager{From: (page-1)*rowsPerPage + 1, To: min(page*rowsPerPage, total), Total: total}
	if page > 1 {
		p.Before = v.with("page", strconv.Itoa(page-1)) + fragment
	}
	if page < last {
		p.After = v.with("page", strconv.Itoa(page+1)) + fragment
	}
	return p
}

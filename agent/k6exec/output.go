package k6exec

import (
	"sync"
	"unicode/utf8"
)

// head keeps the first bytes that are written to it, and drops the rest.
type head struct {
	most  int
	full  func() // called at the first byte over most
	bytes []byte
	once  sync.Once
}

func (h *head) Write(p []byte) (int, error) {
	room := h.most - len(h.bytes)
	h.bytes = append(h.bytes, p[:min(len(p), room)]...)
	if len(p) > room {
		h.once.Do(h.full)
	}
	return len(p), nil
}

// shorten cuts a text to at most n bytes of whole characters, the ellipsis included.
func shorten(text string, n int) string {
	const ellipsis = "…"
	if len(text) <= n {
		return text
	}
	end := n - len(ellipsis)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}

package pages

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

//go:embed static/style.css
var styleSheet string

// styleCache lets a browser keep the style sheet for ever: another content has another name.
const styleCache = "public, max-age=31536000, immutable"

// style serves the one style sheet, under a name with its hash.
type style struct{ hash string }

func newStyle() style {
	sum := sha256.Sum256([]byte(styleSheet))
	return style{hash: hex.EncodeToString(sum[:8])}
}

func (s style) path() string { return "/agents/k6/static/style." + s.hash + ".css" }

// ServeHTTP implements http.Handler. An older name, asked for while a new version rolls out, isn't there any more.
func (s style) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != s.path() {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", styleCache)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("ETag", `"`+s.hash+`"`)
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(styleSheet))
}

package dashboard

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/nollagluiz/broadside/fleet"
)

// surface is a part of the API with its own kind of credentials.
type surface string

const (
	forAll    surface = "open"
	forAdmin  surface = "admin" // HTTP Basic
	forAgents surface = "agent" // bearer
)

// surfaceOf is what a request needs, by its path alone, so that who may not ask learns nothing about which paths exist.
func surfaceOf(r *http.Request) surface {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch path := r.URL.Path; {
	case strings.HasPrefix(path, "/api/admin/"), path == "/api/admin", strings.HasPrefix(path, "/admin/"):
		return forAdmin
	case strings.HasPrefix(path, "/api/k6/"), path == "/api/k6":
		return forAgents
	case !reads && strings.HasPrefix(path, "/agents"):
		return forAdmin
	}
	return forAll
}

// Credentials are a user's name and password.
type Credentials struct{ User, Password string }

// digest hides the length of a secret, too, from who measures how long a comparison takes.
type digest [sha256.Size]byte

func digestOf(secret string) digest { return sha256.Sum256([]byte(secret)) }

func (d digest) equal(o digest) int { return subtle.ConstantTimeCompare(d[:], o[:]) }

// auth tells who may ask. It is safe for concurrent use.
type auth struct {
	user, password digest
	secrets        []digest // any of them: two during a rotation
	guesses        *limiter // of the admin's password, by client address
	noise          *limiter // of wrong bearers
	now            func() time.Time
}

// changeMe begins the secrets of an example file that nobody edited.
const changeMe = "CHANGE_ME"

func newAuth(c Credentials, secrets []string, now func() time.Time) (*auth, error) {
	if c.User == "" || c.Password == "" || strings.Contains(c.User, ":") {
		return nil, errors.New("the administrator needs a name, without a colon, and a password")
	}
	if len(secrets) == 0 || len(secrets) > 2 {
		return nil, fmt.Errorf("agents need one secret, or two during a rotation, not %d", len(secrets))
	}
	a := &auth{user: digestOf(c.User), password: digestOf(c.Password), guesses: newLimiter(), noise: newLimiter(), now: now}
	for _, secret := range append([]string{c.Password}, secrets...) {
		if secret == "" || strings.HasPrefix(secret, changeMe) {
			return nil, fmt.Errorf("a secret is empty or begins with %s", changeMe)
		}
	}
	for _, secret := range secrets {
		a.secrets = append(a.secrets, digestOf(secret))
	}
	return a, nil
}

// check returns nil if the request has the credentials of its surface, or else the answer. failed tells whether it had
// wrong ones; none is no guess.
//
// An address that guesses at the administrator's password is not heard at all for a while, right or wrong: what a limit
// on wrong answers alone let through would still tell the right one. A bearer is random and can't be guessed, and many
// agents share an address, so a right one is always heard.
func (a *auth) check(r *http.Request, s surface) (p *problem, failed bool) {
	now := a.now()
	switch s {
	case forAdmin:
		if wait := a.guesses.wait(r.RemoteAddr, now); wait > 0 {
			return rateLimited(wait), false
		}
		user, password, ok := r.BasicAuth()
		if ok && digestOf(user).equal(a.user)&digestOf(password).equal(a.password) == 1 {
			return nil, false
		}
		p = newProblem(http.StatusUnauthorized, fleet.Unauthorized, "the administrator's name and password are needed")
		p.header.Set("WWW-Authenticate", `Basic realm="Broadside", charset="UTF-8"`)
		if failed = r.Header.Get("Authorization") != ""; failed {
			a.guesses.count(r.RemoteAddr, now)
		}
	case forAgents:
		if a.isBearer(r.Header.Get("Authorization")) {
			return nil, false
		}
		p = newProblem(http.StatusUnauthorized, fleet.Unauthorized, "the agents' secret is needed")
		if failed = r.Header.Get("Authorization") != ""; !failed {
			break
		}
		if wait := a.noise.wait(r.RemoteAddr, now); wait > 0 {
			p = rateLimited(wait)
		}
		a.noise.count(r.RemoteAddr, now)
	}
	return p, failed
}

func (a *auth) isBearer(header string) bool {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	got, found := digestOf(strings.TrimSpace(token)), 0
	for _, secret := range a.secrets {
		found |= got.equal(secret)
	}
	return found == 1
}

func rateLimited(wait time.Duration) *problem {
	p := newProblem(http.StatusTooManyRequests, fleet.RateLimited, "too many failed attempts to log in from this address")
	p.retryAfter(int((wait + time.Second - 1) / time.Second))
	return p
}

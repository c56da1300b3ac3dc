package fleet_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
)

// Field report 22: what anybody may see of a URL. Each row is shown as it stands, put back, and shown again.
func TestRedactURL(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"nothing to hide", "https://example.org/a?b=c#d", "https://example.org/a?b=c#d"},
		{"no path", "https://example.org", "https://example.org"},
		{"an empty query", "http://h/?", "http://h/?"},
		{"an empty fragment", "http://h/#", "http://h/#"},
		{"user and password", "https://user:pass@h:8443/x", "https://***@h:8443/x"},
		{"a user alone", "http://user@h/", "http://***@h/"},
		{"an empty user", "http://@h/", "http://***@h/"},
		{"an empty password", "http://user:@h/", "http://***@h/"},
		{"@ and : in the userinfo", "http://a:b@c:d@h/", "http://***@h/"},
		{"escapes in the userinfo", "http://%40:%2F@h/", "http://***@h/"},
		{"userinfo before IPv6", "http://u:p@[::1]:80/", "http://***@[::1]:80/"},
		{"upper-case scheme", "HTTP://u:p@H/", "HTTP://***@H/"},
		{"userinfo and query, no path", "http://u:p@h?token=x", "http://***@h?token=***"},
		{"userinfo and fragment, no path", "http://u:p@h#f", "http://***@h#f"},
		{"@ in the path is no userinfo", "http://h/@a/b@c", "http://h/@a/b@c"},
		{"@ in the query is no userinfo", "http://h?a=b@c", "http://h?a=b@c"},
		{"a token", "http://h/?token=abc", "http://h/?token=***"},
		{"among others, in order", "http://h/?a=1&api_key=abc&b=2&a=3", "http://h/?a=1&api_key=***&b=2&a=3"},
		{"twice", "http://h/?token=a&token=b", "http://h/?token=***&token=***"},
		{"one of two empty", "http://h/?token=&token=b", "http://h/?token=&token=***"},
		{"no value", "http://h/?token&token=", "http://h/?token&token="},
		{"an escaped name", "http://h/?%74oken=a", "http://h/?%74oken=***"},
		{"a name with a bad escape", "http://h/?%zztoken=a", "http://h/?%zztoken=***"},
		{"upper case", "http://h/?X-Amz-Signature=a&X-Amz-Credential=b", "http://h/?X-Amz-Signature=***&X-Amz-Credential=***"},
		{"any key", "http://h/?key=a&subscription-key=b&access_key=c", "http://h/?key=***&subscription-key=***&access_key=***"},
		{"a value with = and / and ?", "http://h/?token=a=b/c?d", "http://h/?token=***"},
		{"a value with @", "http://h/?password=a@b", "http://h/?password=***"},
		{"a value with escapes", "http://h/?password=%26%3D&x=1", "http://h/?password=***&x=1"},
		{"a value of stars", "http://h/?token=***", "http://h/?token=***"},
		{"after a semicolon", "http://h/?a=1;token=x;b=2&c=3", "http://h/?a=1;token=***&c=3"},
		{"a semicolon in the value", "http://h/?token=a;b&c=3", "http://h/?token=***&c=3"},
		{"in a nested query", "http://h/?next=/cb?token=x&c=3", "http://h/?next=/cb?token=***&c=3"},
		{"short names, behind each separator", "http://h/?a=1;sig=x&b=/c/sig=y&d=?sig=z&e=sig=w", "http://h/?a=1;sig=***&b=/c/sig=***&d=?sig=***&e=sig=***"},
		{"names that only begin so", "http://h/?signal=x&passenger=y&cookies=z", "http://h/?signal=x&passenger=y&cookies=z"},
		{"in the path", "http://h/a;jsessionid=x/b;v=1", "http://h/a;jsessionid=***/b;v=1"},
		{"in the fragment", "http://h/#access_token=x&type=bearer", "http://h/#access_token=***&type=bearer"},
		{"in the fragment's route", "http://h/#/a/b?key=x/y", "http://h/#/a/b?key=***"},
		{"a query in the fragment", "http://h/#f?token=x", "http://h/#f?token=***"},
		{"international", "http://u:p@bücher.example/ä?token=ü&q=ß", "http://***@bücher.example/ä?token=***&q=ß"},
	} {
		t.Run(c.name, func(t *testing.T) {
			shown := fleet.RedactURL(c.in)
			if shown != c.want {
				t.Errorf("%q is shown as %q; want %q", c.in, shown, c.want)
			}
			if again := fleet.RedactURL(shown); again != shown {
				t.Errorf("shown again as %q", again)
			}
			stored := fleet.Target{URL: c.in}
			if got := stored.Redacted().Restore(stored).URL; got != c.in {
				t.Errorf("put back as %q; want %q", got, c.in)
			}
			edited := fleet.Target{URL: otherCase(shown)}
			if got := edited.Restore(stored).URL; got != otherCase(c.in) {
				t.Errorf("%q is put back as %q; want %q", edited.URL, got, otherCase(c.in))
			}
		})
	}
}

// otherCase writes a URL's scheme in the other case: an edit that changes nothing that matters, but the text.
func otherCase(text string) string {
	scheme, rest, _ := strings.Cut(text, ":")
	if upper := strings.ToUpper(scheme); upper != scheme {
		return upper + ":" + rest
	}
	return strings.ToLower(scheme) + ":" + rest
}

func TestRedactURLHidesWhatIsNone(t *testing.T) {
	for _, in := range []string{"", "user:pass@h", "ftp://user:pass@h/", "http://user:pass@", "http://h/ token=x", "http:user:pass@h"} {
		if got := fleet.RedactURL(in); got != fleet.Hidden {
			t.Errorf("%q is shown as %q", in, got)
		}
	}
}

// An edit of what was shown: what still says *** keeps its secret, as long as it goes where the secret was meant for.
func TestRestoreURL(t *testing.T) {
	const stored = "https://user:pass@h.example/a?token=abc&x=1&key=k1&key=k2"
	for _, c := range []struct{ name, edited, want string }{
		{"as shown", "https://***@h.example/a?token=***&x=1&key=***&key=***", stored},
		{"another path", "https://***@h.example/b/c?token=***", "https://user:pass@h.example/b/c?token=abc"},
		{"another order", "https://***@h.example/?key=***&x=2&token=***", "https://user:pass@h.example/?key=k1&x=2&token=abc"},
		{"in the fragment", "https://***@h.example/#token=***", "https://user:pass@h.example/#token=abc"},
		{"the default port, written", "https://***@H.Example:443/?token=***", "https://user:pass@H.Example:443/?token=abc"},
		{"a new secret", "https://other:word@h.example/?token=new", "https://other:word@h.example/?token=new"},
		{"no secret", "https://h.example/a", "https://h.example/a"},
		{"a parameter that wasn't there", "https://h.example/?secret=***", "https://h.example/?secret=***"},
		{"one more than there were", "https://h.example/?token=***&token=***", "https://h.example/?token=abc&token=***"},
		{"another host", "https://***@evil.example/?token=***", "https://***@evil.example/?token=***"},
		{"the host as a subdomain", "https://***@h.example.evil.example/?token=***", "https://***@h.example.evil.example/?token=***"},
		{"the host as a user", "https://h.example@evil.example/?token=***", "https://h.example@evil.example/?token=***"},
		{"another scheme", "http://***@h.example/?token=***", "http://***@h.example/?token=***"},
		{"another port", "https://***@h.example:444/?token=***", "https://***@h.example:444/?token=***"},
		{"no URL", "***", "***"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := (fleet.Target{URL: c.edited}).Restore(fleet.Target{URL: stored}).URL; got != c.want {
				t.Errorf("%q becomes %q; want %q", c.edited, got, c.want)
			}
		})
	}
}

// secretTarget has a secret in each place that can hold one.
func secretTarget() fleet.Target {
	t := fleet.NewTarget()
	t.ID, t.URL, t.Label = "7", "https://user:hunter2@h.example/a?token=hunter2&x=1", "Shop"
	t.Headers = map[string]string{"authorization": "Bearer hunter2", "X-Api-Key": "hunter2", "X-Mine": "hunter2", "Cookie": "a=hunter2", "Accept": "text/html"}
	t.SecretHeaders = []string{"x-mine"}
	t.Body = `{"password":"hunter2"}`
	t.Script = `export default () => login("hunter2")`
	return t
}

func TestRedacted(t *testing.T) {
	target := secretTarget()
	if err := target.Validate(); err != nil {
		t.Fatal(err)
	}
	shown := target.Redacted()
	want := secretTarget()
	want.URL = "https://***@h.example/a?token=***&x=1"
	want.Headers = map[string]string{"authorization": "***", "X-Api-Key": "***", "X-Mine": "***", "Cookie": "***", "Accept": "text/html"}
	want.Body, want.Script = "***", "***"
	if d := cmp.Diff(want, shown); d != "" {
		t.Errorf("shown (-want +got):\n%s", d)
	}
	if d := cmp.Diff(secretTarget(), target); d != "" {
		t.Errorf("showing it changed it (-before +after):\n%s", d)
	}
	if text := target.String(); strings.Contains(text, "hunter2") {
		t.Errorf("as text: %q", text)
	}
	target.Label = ""
	if name := target.Name(); name != "https://***@h.example/a?token=***&x=1" {
		t.Errorf("without a label its name is %q", name)
	}
}

// With Edit, nobody who may write but not read a secret can learn it: not by sending it elsewhere, and not by calling it
// no secret.
func TestEditKeepsSecretsIn(t *testing.T) {
	for _, c := range []struct {
		name   string
		edit   func(t *fleet.Target)
		keeps  bool   // the secrets
		faults string // that Validate finds, if not
	}{
		{"nothing", func(*fleet.Target) {}, true, ""},
		{"the label", func(t *fleet.Target) { t.Label = "New" }, true, ""},
		{"the path", func(t *fleet.Target) { t.URL = strings.Replace(t.URL, "/a?", "/b?", 1) }, true, ""},
		{"the host alone", func(t *fleet.Target) { t.URL = "https://evil.example/" }, false, "headers headers headers headers body script"},
		{"the host, with ***", func(t *fleet.Target) { t.URL = strings.Replace(t.URL, "h.example", "evil.example", 1) }, false, "url headers headers headers headers body script"},
		{"the scheme", func(t *fleet.Target) { t.URL = "http://h.example/" }, false, "headers headers headers headers body script"},
		{"a secret header no more", func(t *fleet.Target) { t.SecretHeaders = nil }, false, "headers"},
		{"a header's case", func(t *fleet.Target) {
			delete(t.Headers, "X-Api-Key")
			t.Headers["x-api-key"] = fleet.Hidden
		}, true, ""},
		{"another header for a secret", func(t *fleet.Target) { t.Headers["Accept"] = fleet.Hidden }, false, "headers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			edited, err := secretTarget().Edit(func(shown fleet.Target) (fleet.Target, error) {
				c.edit(&shown)
				return shown, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			var fields []string
			if faults, ok := edited.Validate().(plan.FieldErrors); ok {
				for _, f := range faults {
					fields = append(fields, f.Field)
				}
			}
			if got := strings.Join(fields, " "); got != c.faults {
				t.Errorf("faults %q; want %q", got, c.faults)
			}
			for name, secret := range edited.Redacted().Headers {
				if strings.Contains(secret, "hunter2") {
					t.Errorf("%s is shown", name)
				}
			}
			kept := true
			for _, secret := range []string{edited.URL, edited.Body, edited.Script} {
				kept = kept && strings.Contains(secret, "hunter2")
			}
			if c.keeps && !kept {
				t.Errorf("the secrets are lost: %q, %q, %q", edited.URL, edited.Body, edited.Script)
			}
			if !c.keeps && strings.Contains(edited.URL, "evil") {
				if strings.Contains(edited.Script+edited.Body, "hunter2") {
					t.Errorf("body or script go to another origin: %q, %q", edited.Body, edited.Script)
				}
				for name, value := range edited.Headers {
					if strings.Contains(value, "hunter2") {
						t.Errorf("%s goes to another origin", name)
					}
				}
			}
		})
	}
	sentinel := fleet.Errorf(fleet.Malformed, "no")
	if _, err := secretTarget().Edit(func(fleet.Target) (fleet.Target, error) { return fleet.Target{}, sentinel }); err != sentinel {
		t.Errorf("error %v; want the edit's own", err)
	}
}

// What was shown can't be made a target of its own: *** stands for nothing there.
func TestACopyIsRefused(t *testing.T) {
	var faults plan.FieldErrors
	if err := secretTarget().Redacted().Validate(); !errors.As(err, &faults) {
		t.Fatalf("error %v; want faults", err)
	}
	var fields []string
	for _, f := range faults {
		fields = append(fields, f.Field)
	}
	if got, want := strings.Join(slices.Compact(fields), " "), "url headers body script"; got != want {
		t.Errorf("faults %q; want %q", got, want)
	}
}

// genURL draws valid URLs in whose parts anything may stand that is legal there.
func genURL() *rapid.Generator[string] {
	word := func(chars string) *rapid.Generator[string] {
		return rapid.StringOfN(rapid.RuneFrom([]rune(chars)), 0, 12, -1)
	}
	return rapid.Custom(func(t *rapid.T) string {
		u := rapid.SampledFrom([]string{"http://", "https://", "HTTPS://"}).Draw(t, "scheme")
		if rapid.Bool().Draw(t, "has userinfo") {
			u += word("ab:@;=&*$%2040").Draw(t, "userinfo") + "@"
		}
		u += rapid.SampledFrom([]string{"h.example", "h.example:8080", "[::1]", "[2001:db8::1]:443", "bücher.example"}).Draw(t, "host")
		names := rapid.SampledFrom([]string{"a", "token", "api_key", "%74oken", "session", "", "***"})
		part := func(label, between string, n int) string {
			var parts []string
			for range n {
				parts = append(parts, names.Draw(t, label+" name")+rapid.SampledFrom([]string{"=", "", ";", ";token="}).Draw(t, label+" =")+word("x=;?@*/%41ü").Draw(t, label+" value"))
			}
			return strings.Join(parts, between)
		}
		for range rapid.IntRange(0, 2).Draw(t, "segments") {
			u += "/" + strings.NewReplacer("?", "", "#", "").Replace(part("path", ";", 1))
		}
		if n := rapid.IntRange(0, 4).Draw(t, "params"); n > 0 {
			u += "?" + part("query", "&", n)
		}
		if n := rapid.IntRange(0, 2).Draw(t, "fragments"); n > 0 {
			u += "#" + part("fragment", "&", n)
		}
		return u
	}).Filter(func(u string) bool { _, err := plan.ParseURL(u); return err == nil })
}

// What was shown can be sent back: for any target, Restore undoes Redacted.
func TestRestoreUndoesRedacted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		target := fleet.NewTarget()
		target.URL = genURL().Draw(t, "url")
		target.Body = rapid.SampledFrom([]string{"", "x", fleet.Hidden}).Draw(t, "body")
		target.Script = rapid.SampledFrom([]string{"", "x", fleet.Hidden}).Draw(t, "script")
		names := []string{"Authorization", "x-api-key", "X-Mine", "Accept"}
		target.Headers = rapid.MapOf(rapid.SampledFrom(names), rapid.SampledFrom([]string{"", "v", fleet.Hidden})).Draw(t, "headers")
		target.SecretHeaders = rapid.SliceOf(rapid.SampledFrom([]string{"x-mine", "ACCEPT"})).Draw(t, "secret headers")
		if d := cmp.Diff(target, target.Redacted().Restore(target)); d != "" {
			t.Errorf("(-stored +restored):\n%s", d)
		}
		shown := fleet.RedactURL(target.URL)
		if again := fleet.RedactURL(shown); again != shown {
			t.Errorf("%q is shown as %q and then as %q", target.URL, shown, again)
		}
		if _, err := plan.ParseURL(shown); err != nil {
			t.Errorf("%q is shown as %q, which is no URL: %v", target.URL, shown, err)
		}
		if got, want := (fleet.Target{URL: otherCase(shown)}).Restore(target).URL, otherCase(target.URL); got != want {
			t.Errorf("%q is put back as %q; want %q", otherCase(shown), got, want)
		}
	})
}

// FuzzRedactURL: wherever in a URL a secret stands that has a secret's name, nobody sees it, and no other origin gets it.
func FuzzRedactURL(f *testing.F) {
	f.Add("http://", "@h/", "")
	f.Add("https://u:", "@[::1]/a", "?token=")
	f.Add("http://h/?a=1;token=", ";b=c&d", "#e")
	f.Add("http://h/#/x?key=", "/y", "")
	f.Fuzz(func(t *testing.T, before, after, end string) {
		const secret = "hunter2"
		text := before + secret + after + end
		u, err := plan.ParseURL(text)
		if err != nil {
			if got := fleet.RedactURL(text); got != fleet.Hidden {
				t.Errorf("%q is no URL, but shown as %q", text, got)
			}
			return
		}
		shown := fleet.RedactURL(text)
		if u.User != nil && strings.Contains(u.User.String(), secret) && strings.Count(text, secret) == 1 && strings.Contains(shown, secret) {
			t.Errorf("%q is shown as %q", text, shown)
		}
		for _, name := range []string{"token=", "password=", "key="} {
			if (strings.HasSuffix(before, "?"+name) || strings.HasSuffix(before, "&"+name)) && strings.Contains(shown, name+secret) {
				t.Errorf("%q is shown as %q", text, shown)
			}
		}
		stored := fleet.Target{URL: text}
		if got := stored.Redacted().Restore(stored).URL; got != text {
			t.Errorf("%q is shown as %q and put back as %q", text, shown, got)
		}
		elsewhere := strings.Replace(shown, u.Host, "evil.example", 1)
		if got := (fleet.Target{URL: elsewhere}).Restore(stored).URL; elsewhere != shown && got != elsewhere {
			t.Errorf("%q, stored, makes of %q %q", text, elsewhere, got)
		}
	})
}

// A run carries its target as it is shown, so that form has the bound of a URL, too.
func TestURLsThatGrowWhenShownAreRefused(t *testing.T) {
	target := fleet.NewTarget()
	target.URL = "http://h.example/?" + strings.Repeat("key=1&", 600)
	var faults plan.FieldErrors
	if err := target.Validate(); !errors.As(err, &faults) || faults[0].Field != "url" || !strings.Contains(faults[0].Message, "as it is shown") {
		t.Errorf("%d bytes that are shown as %d: %v; want the url refused", len(target.URL), len(fleet.RedactURL(target.URL)), err)
	}
	target.URL = "http://h.example/?" + strings.Repeat("key=1&", 100)
	if err := target.Validate(); err != nil {
		t.Errorf("a short one: %v", err)
	}
}

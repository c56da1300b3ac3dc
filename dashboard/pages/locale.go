package pages

import (
	"embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

//go:embed locales/*.json
var catalogues embed.FS

// languages are the tags of the catalogues, the default first.
var languages = [...]string{"en", "pt-BR"}

// locale words and formats a page in one language. It is read-only once made, so safe for concurrent use.
type locale struct {
	tag   string
	words map[string]string
}

func newLocale(tag string) (*locale, error) {
	data, err := catalogues.ReadFile("locales/" + tag + ".json")
	if err != nil {
		return nil, err
	}
	l := &locale{tag: tag}
	if err := json.Unmarshal(data, &l.words); err != nil {
		return nil, fmt.Errorf("catalogue %s: %w", tag, err)
	}
	return l, nil
}

// text is the message of key, with each {name} replaced by the value that follows the name in pairs. Integers are
// written as the language has them. A key that doesn't exist answers itself: a test finds those.
func (l *locale) text(key string, pairs ...any) string {
	message, ok := l.words[key]
	if !ok {
		return key
	}
	if len(pairs) == 0 {
		return message
	}
	fill := make([]string, 0, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		fill = append(fill, fmt.Sprintf("{%v}", pairs[i]), l.value(pairs[i+1]))
	}
	return strings.NewReplacer(fill...).Replace(message)
}

func (l *locale) value(v any) string {
	switch v := v.(type) {
	case int:
		return l.number(int64(v))
	case int64:
		return l.number(v)
	default:
		return fmt.Sprint(v)
	}
}

// count is text with the plural of n, which it gives as {n}. Both languages have two forms, and 0 takes the second.
func (l *locale) count(key string, n any, pairs ...any) string {
	form := ".other"
	if v := l.value(n); v == "1" {
		form = ".one"
	}
	return l.text(key+form, append([]any{"n", n}, pairs...)...)
}

// known is the message of prefix + word, or else the word itself: for words that come from outside.
func (l *locale) known(prefix, word string) string {
	if message, ok := l.words[prefix+word]; ok {
		return message
	}
	return word
}

// preferred picks the language of an Accept-Language header (RFC 9110 section 12.5.4) by its primary subtag: the
// highest weight wins, the first of equals. Without a match it is the default.
func preferred(header string) string {
	best, weight := languages[0], 0.0
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		q := 1.0
		if value, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(value, 64); err != nil {
				continue
			}
		}
		if tag := spoken(name); tag != "" && q > weight {
			best, weight = tag, q
		}
	}
	return best
}

// spoken is the language that shares its primary subtag with tag, or "".
func spoken(tag string) string {
	primary, _, _ := strings.Cut(strings.TrimSpace(tag), "-")
	for _, known := range languages {
		base, _, _ := strings.Cut(known, "-")
		if strings.EqualFold(primary, base) {
			return known
		}
	}
	return ""
}

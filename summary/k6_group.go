package summary

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// K6Group is a group() of a script. The root's name is empty.
type K6Group struct {
	Name   string    `json:"name"`
	Path   string    `json:"path"` // names joined by "::"
	ID     string    `json:"id"`   // MD5 of the path, hex
	Groups []K6Group `json:"groups"`
	Checks []K6Check `json:"checks"`
}

// K6Check counts the outcomes of one check().
type K6Check struct {
	Name   string `json:"name"`
	Path   string `json:"path"`
	ID     string `json:"id"`
	Passes int64  `json:"passes"`
	Fails  int64  `json:"fails"`
}

// rootID is the id of the root group: the MD5 of an empty path.
const rootID = "d41d8cd98f00b204e9800998ecf8427e"

// maxGroupDepth bounds how deep groups are nested.
const maxGroupDepth = 64

func (k *K6) readRoot(data []byte) error {
	var root any
	if err := json.Unmarshal(data, &root); err != nil {
		return fmt.Errorf("root_group: %w", err)
	}
	var err error
	if k.Root, err = group(root, 0); err != nil {
		return fmt.Errorf("root_group: %w", err)
	}
	return nil
}

// group reads a group whose groups and checks are lists (handleSummary), or objects by name (flat), which have no order
// and so are sorted.
func group(v any, depth int) (K6Group, error) {
	if depth > maxGroupDepth {
		return K6Group{}, fmt.Errorf("groups are nested deeper than %d", maxGroupDepth)
	}
	object, _ := v.(map[string]any)
	g := K6Group{Groups: []K6Group{}, Checks: []K6Check{}}
	for _, field := range []struct {
		key string
		to  *string
	}{{"name", &g.Name}, {"path", &g.Path}, {"id", &g.ID}} {
		text, ok := object[field.key].(string)
		if !ok {
			return g, fmt.Errorf("the %s of a group is no text", field.key)
		}
		*field.to = text
	}
	groups, okGroups := children(object["groups"])
	checks, okChecks := children(object["checks"])
	if !okGroups || !okChecks {
		return g, fmt.Errorf("group %.80q lacks its groups or checks", g.Path)
	}
	for _, child := range groups {
		inner, err := group(child, depth+1)
		if err != nil {
			return g, err
		}
		g.Groups = append(g.Groups, inner)
	}
	for _, child := range checks {
		object, _ := child.(map[string]any)
		c := K6Check{}
		passes, okPasses := object["passes"].(float64)
		fails, okFails := object["fails"].(float64)
		name, okName := object["name"].(string)
		if !okName || !okPasses || !okFails || !whole(passes) || !whole(fails) {
			return g, fmt.Errorf("a check of group %.80q lacks its name, passes or fails", g.Path)
		}
		c.Name, c.Passes, c.Fails = name, int64(passes), int64(fails)
		c.Path, _ = object["path"].(string) // not in the machine-readable shape
		c.ID, _ = object["id"].(string)
		g.Checks = append(g.Checks, c)
	}
	return g, nil
}

func children(v any) (out []any, ok bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			out = append(out, v[name])
		}
		return out, true
	}
	return nil, false
}

// flat keys groups and checks by their names.
func (g K6Group) flat() map[string]any {
	groups, checks := map[string]any{}, map[string]K6Check{}
	for _, inner := range g.Groups {
		groups[inner.Name] = inner.flat()
	}
	for _, c := range g.Checks {
		checks[c.Name] = c
	}
	return map[string]any{"name": g.Name, "path": g.Path, "id": g.ID, "groups": groups, "checks": checks}
}

// listed has an empty list where there is nothing, which JSON would call null.
func (g K6Group) listed() K6Group {
	groups := make([]K6Group, 0, len(g.Groups))
	for _, inner := range g.Groups {
		groups = append(groups, inner.listed())
	}
	g.Groups, g.Checks = groups, append([]K6Check{}, g.Checks...)
	return g
}

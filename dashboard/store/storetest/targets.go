package storetest

import (
	"errors"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/fleet"
)

// oddTarget is valid, and full of what a careless store would bend.
func oddTarget() fleet.Target {
	t := fleet.NewTarget()
	t.URL = `https://user:p%40ss@[::1]:8443/päth?token=s3cret&q='%22$1#f`
	t.Label = "O'Brien \"日本\" \\ $1 ; -- \u00a0é"
	t.Headers = map[string]string{"Authorization": "Bearer s3cret", "X-Odd": `a "b" <c> & $2`}
	t.SecretHeaders = []string{"X-Odd"}
	t.Body = "line\r\n\ttab \u2028 </script> 'x'"
	t.RunIntervalMs = 31_622_400_000
	t.MaxRedirects, t.GracefulStopS, t.Enabled = 0, 0, false
	return t
}

func targetTests() []test {
	return []test{
		{"what is stored comes back, secrets included", func(f *fixture) {
			in := oddTarget()
			made, err := f.CreateTarget(f.ctx, in, at(1.0006))
			f.must(err)
			if made.ID == "" {
				f.Fatal("no id")
			}
			in.ID, in.Revision, in.CreatedAt, in.UpdatedAt = made.ID, 1, fleet.Millis(at(1)), fleet.Millis(at(1))
			got, err := f.Target(f.ctx, made.ID)
			f.must(err)
			if d := cmp.Diff(in, made) + cmp.Diff(in, got); d != "" {
				f.Error(d)
			}
		}},
		{"the newest come first", func(f *fixture) {
			var want []string
			for i := range 5 {
				t := fleet.NewTarget()
				t, err := f.CreateTarget(f.ctx, t, at(float64(i/2))) // two and two at the same time
				f.must(err)
				want = append([]string{t.ID}, want...)
			}
			targets, err := f.Targets(f.ctx)
			f.must(err)
			var got []string
			for _, t := range targets {
				got = append(got, t.ID)
			}
			if d := cmp.Diff(want, got); d != "" {
				f.Error(d)
			}
		}},
		{"an edit", func(f *fixture) {
			old, err := f.CreateTarget(f.ctx, oddTarget(), at(0))
			f.must(err)
			got, err := f.UpdateTarget(f.ctx, old.ID, 1, at(60), func(t fleet.Target) (fleet.Target, error) {
				if d := cmp.Diff(old, t); d != "" {
					f.Errorf("the edit sees: %s", d)
				}
				t.Label, t.ID, t.Revision, t.CreatedAt = "new", "other", 77, fleet.Millis(at(-9)) // only the label is the edit's business
				return t, nil
			})
			f.must(err)
			want := old
			want.Label, want.Revision, want.UpdatedAt = "new", 2, fleet.Millis(at(60))
			stored, err := f.Target(f.ctx, old.ID)
			f.must(err)
			if d := cmp.Diff(want, got) + cmp.Diff(want, stored); d != "" {
				f.Error(d)
			}
		}},
		{"an edit that is refused", func(f *fixture) {
			old := f.target("old")
			refusal := errors.New("no")
			none := func(fleet.Target) (fleet.Target, error) { f.Error("edit was called"); return fleet.Target{}, nil }
			_, err := f.UpdateTarget(f.ctx, old.ID, 0, at(1), func(t fleet.Target) (fleet.Target, error) { t.Label = "x"; return t, refusal })
			if err != refusal {
				f.Errorf("error %v; want the edit's own", err)
			}
			_, err = f.UpdateTarget(f.ctx, old.ID, 2, at(1), none)
			f.wants(fleet.PreconditionFailed, err)
			_, err = f.UpdateTarget(f.ctx, "nowhere", 0, at(1), none)
			f.wants(fleet.NotFound, err)
			got, err := f.Target(f.ctx, old.ID)
			f.must(err)
			if d := cmp.Diff(old, got); d != "" {
				f.Error(d)
			}
		}},
		{"edits at the same time are all there", func(f *fixture) {
			t := f.target("t")
			f.together(20, func(int) error {
				_, err := f.UpdateTarget(f.ctx, t.ID, 0, at(1), func(t fleet.Target) (fleet.Target, error) { t.VUs++; return t, nil })
				return err
			})
			got, err := f.Target(f.ctx, t.ID)
			f.must(err)
			if got.VUs != 21 || got.Revision != 21 {
				f.Errorf("vus %d, revision %d; want 21, 21", got.VUs, got.Revision)
			}
		}},
		{"of edits on one revision one wins", func(f *fixture) {
			t := f.target("t")
			won := make([]bool, 10)
			f.together(len(won), func(i int) error {
				_, err := f.UpdateTarget(f.ctx, t.ID, 1, at(1), func(t fleet.Target) (fleet.Target, error) { return t, nil })
				if won[i] = err == nil; won[i] || fleet.CodeOf(err) == fleet.PreconditionFailed {
					return nil
				}
				return err
			})
			n := 0
			for _, w := range won {
				if w {
					n++
				}
			}
			if n != 1 {
				f.Errorf("%d edits won; want 1", n)
			}
		}},
		{"a panic in an edit does not lock the store", func(f *fixture) {
			t := f.target("t")
			func() {
				defer func() { recover() }()
				f.UpdateTarget(f.ctx, t.ID, 0, at(1), func(fleet.Target) (fleet.Target, error) { panic("bug") })
			}()
			f.must(f.Ping(f.ctx))
		}},
		{"a deleted target is gone, its runs stay", func(f *fixture) {
			t := f.target("t")
			run := f.ended(end(f.started(start(1, t.ID, "a")), 10))
			f.wants(fleet.PreconditionFailed, f.DeleteTarget(f.ctx, t.ID, 9, at(1)))
			f.must(f.DeleteTarget(f.ctx, t.ID, 1, at(1)))
			targets, err := f.Targets(f.ctx)
			f.must(err)
			_, err = f.Target(f.ctx, t.ID)
			f.wants(fleet.NotFound, err)
			f.wants(fleet.NotFound, f.DeleteTarget(f.ctx, t.ID, 0, at(2)))
			_, err = f.UpdateTarget(f.ctx, t.ID, 0, at(2), func(t fleet.Target) (fleet.Target, error) { return t, nil })
			f.wants(fleet.NotFound, err)
			ids, _ := f.page(fleet.RunFilter{TargetID: t.ID}, "", 10)
			if len(targets) != 0 || len(ids) != 1 || f.detail(run.ID).TargetID != t.ID {
				f.Errorf("targets %v, runs %v; want no target and one run", targets, ids)
			}
		}},
	}
}

func configTests() []test {
	return []test{
		{"the first is zero", func(f *fixture) {
			c, err := f.Config(f.ctx)
			f.must(err)
			if c != (fleet.Config{}) {
				f.Errorf("%+v; want the zero config", c)
			}
		}},
		{"an edit", func(f *fixture) {
			set := func(revision int64, now time.Time, edit func(*fleet.Config)) (fleet.Config, error) {
				return f.UpdateConfig(f.ctx, revision, now, func(c fleet.Config) (fleet.Config, error) { edit(&c); return c, nil })
			}
			first, err := set(0, at(1), func(c *fleet.Config) { c.DesiredAgents = 20 })
			f.must(err)
			_, err = set(first.Revision+1, at(2), func(*fleet.Config) { f.Error("edit was called") })
			f.wants(fleet.PreconditionFailed, err)
			second, err := set(first.Revision, at(3), func(c *fleet.Config) { c.Stopped, c.StopID = true, "order-1" })
			f.must(err)
			want := fleet.Config{DesiredAgents: 20, Stopped: true, StopID: "order-1", Revision: 2, UpdatedAt: fleet.Millis(at(3))}
			stored, err := f.Config(f.ctx)
			f.must(err)
			if d := cmp.Diff(want, second) + cmp.Diff(want, stored); d != "" || first.Revision != 1 {
				f.Errorf("first revision %d, then %s", first.Revision, d)
			}
		}},
		{"an edit that is refused", func(f *fixture) {
			refusal := errors.New("no")
			_, err := f.UpdateConfig(f.ctx, 0, at(1), func(c fleet.Config) (fleet.Config, error) { c.DesiredAgents = 5; return c, refusal })
			if err != refusal {
				f.Errorf("error %v; want the edit's own", err)
			}
			if c, err := f.Config(f.ctx); err != nil || c.DesiredAgents != 0 {
				f.Errorf("%+v, %v; want nothing changed", c, err)
			}
		}},
	}
}

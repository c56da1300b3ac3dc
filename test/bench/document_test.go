package main

import "testing"

func TestReplaceFigures(t *testing.T) {
	const document = "# Title\n" + beginFigures + "\nold\n" + endFigures + "\nrest\n"
	const want = "# Title\n" + beginFigures + "\nnew\n" + endFigures + "\nrest\n"
	got, err := replaceFigures(document, "new\n")
	if got != want || err != nil {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if again, err := replaceFigures(got, "new\n"); again != want || err != nil {
		t.Errorf("again %q, %v; want %q", again, err, want)
	}
	for _, bad := range []string{"", beginFigures, endFigures + beginFigures} {
		if got, err := replaceFigures(bad, "new\n"); err == nil {
			t.Errorf("%q became %q; want an error", bad, got)
		}
	}
}

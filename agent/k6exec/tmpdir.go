package k6exec

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/nollagluiz/broadside/summary"
)

// runDirPattern names the directories of runs of an old k6 in TmpDir.
const runDirPattern = "broadside-k6-*"

// runDir holds the script and the summary of one run of a k6 that takes no stdin or stdout for them. It is locked as
// long as its run lasts; the lock dies with the process, and so tells an abandoned directory.
type runDir struct {
	path   string
	unlock func()
}

// newRunDir makes a directory, readable for this user alone, with a script in it.
func newRunDir(parent, script string) (runDir, error) {
	for range 10 {
		path, err := os.MkdirTemp(parent, runDirPattern)
		if err != nil {
			return runDir{}, err
		}
		d := runDir{path: path}
		unlock, ok := lock(path)
		if !ok {
			continue // another agent has just found it without a lock, and takes it away
		}
		d.unlock = unlock
		if err := os.WriteFile(d.script(), []byte(script), 0o600); err != nil {
			d.remove()
			return runDir{}, err
		}
		return d, nil
	}
	return runDir{}, fmt.Errorf("others take away each directory made in %s", parent)
}

func (d runDir) script() string  { return filepath.Join(d.path, "script.js") }
func (d runDir) summary() string { return filepath.Join(d.path, "summary.json") }

// readSummary reads what k6 has exported; nothing is no error. What is too long for a summary is read no further.
func (d runDir) readSummary() ([]byte, error) {
	f, err := os.Open(d.summary())
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, summary.MaxK6+1))
}

// remove takes the directory away. What can't be removed is left to the next agent that begins.
func (d runDir) remove() {
	_ = os.RemoveAll(d.path)
	d.unlock()
}

// removeLeftovers takes away what runs of agents that died have left in parent, and leaves what others are using. It is
// best effort: a directory that stays does no harm to a run.
func removeLeftovers(parent string) {
	if !tellsAbandoned {
		return
	}
	paths, _ := filepath.Glob(filepath.Join(parent, runDirPattern)) // the pattern is a good one
	for _, path := range paths {
		info, err := os.Lstat(path)
		if err != nil || !info.IsDir() {
			continue
		}
		if unlock, ok := lock(path); ok {
			_ = os.RemoveAll(path)
			unlock()
		}
	}
}

package live

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// snapshots is where the snapshots are kept that verify looks at.
var snapshots = flag.String("snapshots", "", "folder to keep the snapshots in that verify looks at; they are "+
	"thrown away when empty")

// The phases that verify tells apart.
const (
	isClassic   = "classic"
	isDeploying = "deploying"
	isTakenOver = "taken over"
	isCleanedUp = "cleaned up"
)

// report is what verify says of a cluster.
type report struct {
	Phase, Step, Next string
	Safe              bool
	Problems          []struct {
		Stops   bool
		Message string
	}
}

// says reports whether a problem that stops has some words.
func (r report) says(words string) bool {
	for _, p := range r.Problems {
		if p.Stops && strings.Contains(p.Message, words) {
			return true
		}
	}
	return false
}

// takeSnapshot runs the commands that verify prints, with the real kubectl, and returns the file.
func (r *replay) takeSnapshot(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "live.yaml")
	r.shell(t, r.product+" verify . --script | sh > "+file) // goes on where a resource is not served
	r.keepSnapshot(t, file)
	return file
}

// keepSnapshot copies a snapshot, and the repository that it is of, where that is wanted.
func (r *replay) keepSnapshot(t *testing.T, file string) {
	t.Helper()
	if r.looks++; *snapshots == "" {
		return
	}
	folder := filepath.Join(*snapshots, strings.ReplaceAll(r.scenario, "/", "-"), fmt.Sprintf("%02d", r.looks))
	if err := os.CopyFS(filepath.Join(folder, "input"), os.DirFS(r.directory)); err != nil {
		t.Log(err)
	}
	content, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "live.yaml"), content, 0o644)
	}
	if err != nil {
		t.Error(err)
	}
}

// verify has verify judge the cluster as it is now.
func (r *replay) verify(t *testing.T) report {
	t.Helper()
	return r.verifyFile(t, r.takeSnapshot(t))
}

// verifyFile has verify judge a snapshot of the cluster: its exit code is what it says, and the only safe way to
// cleanup is a cluster that has taken over.
func (r *replay) verifyFile(t *testing.T, file string) report {
	t.Helper()
	args := []string{"verify", r.directory, "--live", file, "--output", "json"}
	if r.layout.base != "" { // one of several clusters
		args = append(args, "--cluster", "./"+r.folder)
	}
	out, err := exec.Command(r.product, args...).Output()
	code := 0
	if exit := new(exec.ExitError); err != nil {
		exit, _ = err.(*exec.ExitError)
		code = exit.ExitCode()
		if code > 1 {
			t.Fatalf("verify: %v\n%s", err, exit.Stderr)
		}
	}
	var all []report
	if err := json.Unmarshal(out, &all); err != nil || len(all) != 1 {
		t.Fatalf("verify: %v\n%s", err, out)
	}
	one := all[0]
	if one.Safe != (code == 0) || one.Safe && one.Step == "cleanup" && one.Phase != isTakenOver {
		t.Fatalf("verify ends with %d and says %s", code, out)
	}
	t.Logf("verify: %s, safe: %t, next: %s; %v", one.Phase, one.Safe, one.Next, one.Problems)
	r.ran("verify")
	return one
}

// is fails unless verify says that the cluster is in one of these phases, and that the next step is safe or not. A look
// may fall into a reconciliation, in which nothing is safe for a moment: one that wants it safe looks again, as verify
// says.
func (r *replay) is(t *testing.T, safe bool, phases ...string) report {
	t.Helper()
	var one report
	check := func() error {
		if one = r.verify(t); one.Safe != safe || !slices.Contains(phases, one.Phase) {
			return fmt.Errorf("verify says %+v, want %v, safe: %t", one, phases, safe)
		}
		return nil
	}
	if safe {
		eventually(t, time.Minute, "verify finds it safe", check)
	} else if err := check(); err != nil {
		t.Fatal(err)
	}
	return one
}

// isUnsafe fails where verify finds the next step safe; Git may say nothing of Flux any more, which verify says as an
// Error.
func (r *replay) isUnsafe(t *testing.T) {
	t.Helper()
	file := r.takeSnapshot(t)
	if out, err := r.run("verify", "--live", file); err == nil {
		t.Fatalf("verify finds the next step safe:\n%s", out)
	}
	r.ran("verify")
}

// isNot fails unless verify finds the next step not safe, with these words.
func (r *replay) isNot(t *testing.T, words string) {
	t.Helper()
	if one := r.verify(t); one.Safe || words != "" && !one.says(words) {
		t.Fatalf("verify does not say %q: %+v", words, one)
	}
}

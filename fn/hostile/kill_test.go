//go:build linux

package hostile

import (
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// workFolder is where apply keeps what it has not put into its place yet.
const workFolder = ".migrate-to-flux-operator~"

// TestKilled kills apply while it writes, at any moment: plan names what is left, and the next apply puts back what was
// changed, and then does all of its work.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: it takes many runs until some are killed half way")
	}
	done := repository(t, nil, nil)
	if got := execute(t, "", "apply", done); got.code != 0 {
		t.Fatal(got.errOut)
	}
	applied := state(t, done)
	seen := map[string]int{}
	for range 60 {
		if seen["half way"] >= 3 && seen["prepared"] >= 3 {
			break
		}
		dir := repository(t, nil, nil)
		before := state(t, dir)
		killWhileItWrites(t, dir)
		left := state(t, dir)
		_, err := os.Lstat(filepath.Join(dir, workFolder))
		was := stage(before, applied, left, err == nil)
		seen[was]++
		plan := execute(t, "", "plan", dir)
		if named := strings.Contains(plan.out+plan.errOut, "killed"); named != (was != "nothing left") || (plan.code == 2) != (was == "half way") {
			t.Errorf("%s: plan has exit code %d and names it: %t\n%s%s", was, plan.code, named, plan.out, plan.errOut)
		}
		again := execute(t, "", "apply", dir)
		if again.code != 0 || !maps.Equal(state(t, dir), applied) {
			t.Fatalf("%s: the next apply does not end where it should: exit code %d\n%s%s", was, again.code, again.out, again.errOut)
		}
		for name := range left {
			changed := left[name] != before[name] && !strings.HasPrefix(name, workFolder)
			if was == "half way" && changed != strings.Contains(again.out, "put back   "+name+" ") {
				t.Errorf("%s was changed: %t, and the next apply says\n%s", name, changed, again.out)
			}
		}
	}
	t.Logf("killed: %v", seen)
	if seen["half way"] == 0 || seen["prepared"] == 0 {
		t.Error("no run was killed half way, or none before")
	}
}

// killWhileItWrites starts apply, lets it go on in small steps once its folder is there, and kills it at one of them.
func killWhileItWrites(t *testing.T, dir string) {
	t.Helper()
	cmd := exec.Command(binary, "apply", dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	wanted, steps := filepath.Join(dir, workFolder), rand.IntN(20)
	if rand.IntN(3) > 0 {
		wanted, steps = filepath.Join(wanted, "journal"), rand.IntN(4)
	}
	for steps >= 0 {
		select {
		case <-ended:
			return
		case <-time.After(10 * time.Microsecond):
		}
		if _, err := os.Lstat(wanted); err == nil {
			steps--
		}
	}
	_ = cmd.Process.Kill()
	<-ended
}

// stage tells how far a run has come: it has prepared its files, changed some of them, or all.
func stage(before, applied, now map[string]string, folder bool) string {
	now = maps.Clone(now)
	maps.DeleteFunc(now, func(name, _ string) bool { return strings.HasPrefix(name, workFolder+"/") })
	switch {
	case maps.Equal(now, before) && folder:
		return "prepared"
	case maps.Equal(now, before), maps.Equal(now, applied) && !folder:
		return "nothing left"
	case maps.Equal(now, applied):
		return "all changed"
	}
	return "half way"
}
